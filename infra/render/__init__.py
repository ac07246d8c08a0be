"""What is made of an estate. Every renderer is a pure function of it, and of outputs where machines have to exist."""
