"""The archive in the object store: what a stage leaves there, in parts that are written once."""
