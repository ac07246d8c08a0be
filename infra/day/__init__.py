"""The day cycle: up, check, down, next, each a readable list of steps."""
