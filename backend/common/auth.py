"""The bearer token check."""

import hmac
from typing import Final

from starlette.types import Scope

#: What has to work for gateways, monitors and people before they have a token.
EXEMPT_PATHS: Final = frozenset({"/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"})


class BearerToken:
    """Compares the ``Authorization`` header with the token, in constant time.

    Args:
        token: As in the header, without the word "Bearer".
    """

    def __init__(self, token: bytes) -> None:
        self._token = token

    def allows(self, scope: Scope) -> bool:
        """Whether the request may pass: its path is exempt, or it carries the token exactly once."""
        if scope["path"] in EXEMPT_PATHS:
            return True
        values = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(values) != 1:
            return False
        scheme, _, given = values[0].partition(b" ")
        return scheme.lower() == b"bearer" and hmac.compare_digest(given.strip(), self._token)
