"""The bearer token check."""

import hmac
from collections.abc import Iterable
from typing import Final

from starlette.types import Scope

#: What has to work for gateways, monitors and people before they have a token.
EXEMPT_PATHS: Final = frozenset({"/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"})


class BearerToken:
    """Compares the ``Authorization`` header with the tokens, in constant time.

    Args:
        tokens: As in the header, without the word "Bearer"; each of them is accepted.
    """

    def __init__(self, tokens: Iterable[bytes]) -> None:
        self._tokens = tuple(tokens)

    def allows(self, scope: Scope) -> bool:
        """Whether the request may pass: its path is exempt, or it carries one of the tokens, exactly once."""
        if scope["path"] in EXEMPT_PATHS:
            return True
        values = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(values) != 1:
            return False
        scheme, _, given = values[0].partition(b" ")
        given = given.strip()
        # Every token is compared: how long it takes does not tell which of them came near.
        matches = [hmac.compare_digest(given, token) for token in self._tokens]
        return scheme.lower() == b"bearer" and any(matches)
