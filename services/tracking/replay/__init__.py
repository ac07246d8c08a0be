"""Replay: anyone's recording through the kernel, and any moment of an archived stage again.

`recording` reads and refuses, `start` finds when the race began, `ride` makes the states, `sheet` is their table.
"""
