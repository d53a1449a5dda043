"""What can go wrong in scoring; the tree is drawn in the package's docstring."""


class ScoringError(Exception):
    """Base."""


class ProfileError(ScoringError):
    """A profile cannot be learnt from these readings, or cannot be read; the message says why."""


class StateError(ScoringError):
    """A stored state belongs to another version of the scoring, or is damaged."""
