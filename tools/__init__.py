"""What a machine needs before the estate's own code can run; standard library only."""
