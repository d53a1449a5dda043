"""Exceptions of the generator.

ServiceError (backend.common)
└── StateError          503: a change could not be saved, so it was not made
HistoryError            the `history` command cannot write what was asked for; the message is for the user
"""

from backend.common.errors import UnavailableError


class StateError(UnavailableError):
    """A change could not be saved, so it was not made."""

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(f"Nothing was changed: the new state cannot be saved in {path}: {reason}", retry_after_s=5)


class HistoryError(Exception):
    """The history cannot be written; the message says what, why and what to do."""
