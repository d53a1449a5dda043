"""The Services page: every service with its state, its links and its log."""
