"""Whether a stored SCRAM-SHA-256 credential belongs to a password, without logging in."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

MECHANISM = "SCRAM-SHA-256"


def is_password_of(credential: Mapping[str, Any] | None, password: str) -> bool:
    """Compare with what ``usersInfo`` with ``showCredentials`` tells of a user (RFC 5802, section 3).

    Args:
        credential: ``iterationCount``, ``salt`` and ``storedKey``; None where the user has none.
        password: Printable ASCII, which SASLprep leaves as it is.
    """
    if not credential:
        return False
    try:
        salt, stored = base64.b64decode(credential["salt"]), base64.b64decode(credential["storedKey"])
        rounds = int(credential["iterationCount"])
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds)
    except (KeyError, TypeError, ValueError, binascii.Error):
        return False
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    return hmac.compare_digest(hashlib.sha256(client_key).digest(), stored)
