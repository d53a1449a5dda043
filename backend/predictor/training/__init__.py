"""Training: history → cleaned series → features → models that were compared with simple ones → one bundle with its card."""
