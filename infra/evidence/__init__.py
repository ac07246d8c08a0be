"""Evidence that outlives what it is about: written here first, chained, signed, and copied to the season's store."""
