"""Approval bound to the exact plan: what a plan covers, who has signed it, whether it still is what was signed."""
