"""Refused records and rejected requests as lists: filter, read the bytes, copy. Opened from the status bar."""
