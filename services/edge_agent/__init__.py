"""On every node: says what the node sees of its ports, addresses, units, clock, uplink and load.

Light by rule: the standard library and nats-py only, carrier by netlink events instead of polling, and no process
started more often than a change or a slow heartbeat asks for.
"""
