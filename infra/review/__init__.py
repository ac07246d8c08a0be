"""What differs between two states of the estate, what it means, and a report that an auditor can check."""
