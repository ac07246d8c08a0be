"""What the readings suggest, beyond where everybody is: a bike was changed, a rider sits in a car.

What is certain takes effect; what is not is one of the `proposals` to race control.
"""
