"""The calls of paai, one module a subject."""
