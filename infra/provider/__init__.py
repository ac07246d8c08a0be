"""Etape's own Pulumi provider: cables, machines that are ready, generated credentials."""
