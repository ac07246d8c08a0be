"""What was changed behind the tool's back: resources against the state, machines against their roles, strangers."""
