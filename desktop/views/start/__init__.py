"""The start page: what will be deployed, how far it is, and what went wrong."""
