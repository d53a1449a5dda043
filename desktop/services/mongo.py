"""The one way the desktop opens MongoDB: bounded waits, read only by intent."""

from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from backend.contract.documents import DECODING

Document = dict[str, Any]

#: How long a call waits for a server before it says that there is none.
SELECTION_TIMEOUT_MS = 3_000
SOCKET_TIMEOUT_MS = 20_000


def open_client(uri: str) -> MongoClient[Document]:
    """A client that connects with its first call."""
    return MongoClient(
        uri,
        appname="paai-monitor",
        serverSelectionTimeoutMS=SELECTION_TIMEOUT_MS,
        connectTimeoutMS=SELECTION_TIMEOUT_MS,
        socketTimeoutMS=SOCKET_TIMEOUT_MS,
        **DECODING,
        connect=False,
    )


def reason(error: PyMongoError) -> str:
    """The cause, short enough for a status line."""
    text = " ".join(str(error).split())
    for end in (" (configured timeouts", ", Timeout:", ", full error"):
        text = text.split(end)[0]
    return text[:200]
