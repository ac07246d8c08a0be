"""Other engines at a small part of the tracking's task, on the same readings: `python -m tests.bench.peers NAME`.

The task: for every second and rider the distance along the course, the speed and the passage time behind the first one.
No peer knows of bike changes, frozen fixes, outliers, groups or late readings; each is given where everyone is at the
beginning, because none could find that out on a circuit.
"""
