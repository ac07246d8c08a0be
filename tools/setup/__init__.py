"""Set-up: from an empty Debian machine to everything that the estate's commands need.

A set-up is a plan of steps (`plan.py`). A step knows whether it is done and how to get there (`step.py`); the
runner takes them in order, writes a log of each and says in one sentence what went wrong (`runner.py`).
"""
