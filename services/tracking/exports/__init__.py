"""States for others: GeoParquet, CSV, GPX and OGC Moving Features JSON, from a replay's file or from the archive."""
