"""After a race: what was logged before the outcome, held against what the tracker then saw.

`logs` reads forecasts and states, `outcomes` finds what became of each forecast, `verdict` scores them by stage and
over all. The definitions are those of `tracking.prediction`, and of the study that measures them on simulated stages.
"""
