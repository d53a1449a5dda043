"""Requests that paai refused: counted by field and reason, the newest kept with their first bytes."""
