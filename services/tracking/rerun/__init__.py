"""A season run again: each archived stage a job on a work queue, its states held row by row against the live ones."""
