"""One noun a file: what placement `lab` makes of the estate."""
