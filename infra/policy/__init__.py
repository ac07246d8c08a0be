"""What no change may break: policies over resources, at preview and up (`pack`) and over stored checkpoints.

`facts_of(stack, today) -> Facts` reads the model; `check(items, facts)` and `audit_checkpoint(deployment, facts)`
return the findings, `refused(findings)` those that forbid; a corrupt checkpoint raises CheckpointError.
"""
