"""The study: many simulated stages, the model that is fitted to some of them, and its record on the others.

`stages` rides and tracks them, `outcome` says from the truth what became of them, `cases` are the moments that
forecasts are made at, `fitting` fits the model, `scores` and `record` judge it; `work` does all of that, and leaves out
one course in turn. Nothing here runs while a race is on.
"""
