"""PyMongo's errors in words for people."""

from pymongo.errors import OperationFailure, PyMongoError

#: The same sentence from each who finds it out, so that it is said once.
LOGIN_REFUSED = "MongoDB refuses this service's login: is its password the one that the database knows?"
_AUTHENTICATION_FAILED = 18


def short(error: PyMongoError) -> str:
    """PyMongo's messages carry the whole topology; the first sentence is what people can use."""
    text = str(error)
    for end in (" (configured timeouts", ", Timeout:", ", full error:"):
        text = text.split(end, 1)[0]
    return text[:200]


def is_login_refused(error: PyMongoError) -> bool:
    """Whether the server knows another password, or no such user. After the first refusal PyMongo says it of the server."""
    if isinstance(error, OperationFailure) and error.code == _AUTHENTICATION_FAILED:
        return True
    return "authentication failed" in str(error).lower()
