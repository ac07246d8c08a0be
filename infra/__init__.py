"""The estate as code: read, checked, rendered, created, deployed, taken down."""
