"""Keeps the password of MongoDB's administrator as its file says, where the former one is known too."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from backend.common.mongo_errors import LOGIN_REFUSED, is_login_refused, short
from backend.operator.keeper import Finding

log = logging.getLogger("kafka-operator")

Document = dict[str, Any]


class MongoRootKeeper:
    """Logs in; where that is refused and a former password is given, logs in with that one and sets the new one.

    Attributes:
        corrections: Passwords set since the start.
    """

    name = "root"

    def __init__(
        self,
        *,
        client: "MongoClient[Document]",
        user: str,
        password: Callable[[], str],
        former: Path,
        log_in: Callable[[Path], "MongoClient[Document]"],
    ) -> None:
        """Args:
        client: Logged in with the password that is wanted.
        user: The administrator.
        password: Reads the password that is wanted.
        former: File with the one before; there is none unless it is being changed.
        log_in: A client with the password of a file; closed here.
        """
        self._client, self._user, self._password = client, user, password
        self._former, self._log_in = former, log_in
        self.corrections = 0

    def step(self) -> Finding:
        try:
            self._client.admin.command("connectionStatus")
        except PyMongoError as error:
            if not is_login_refused(error):
                return Finding(False, f"waits for MongoDB: {short(error)}", waiting=True)
            if not self._former.exists():
                return Finding(False, LOGIN_REFUSED)
        else:
            return Finding(True)
        return self._change()

    def _change(self) -> Finding:
        try:
            with self._log_in(self._former) as client:
                client.admin.command("updateUser", self._user, pwd=self._password())
        except ValueError as error:
            return Finding(False, f"MongoDB's administrator cannot be kept: {error}")
        except PyMongoError as error:
            if is_login_refused(error):
                return Finding(False, LOGIN_REFUSED)
            if isinstance(error, OperationFailure):
                # Not its text, which may repeat the command with the password in it.
                code = (error.details or {}).get("codeName", error.code)
                return Finding(False, f"MongoDB refuses its administrator another password ({code})")
            return Finding(False, f"waits for MongoDB: {short(error)}", waiting=True)
        self.corrections += 1
        log.warning("MongoDB: the password of user %s is another now", self._user)
        return Finding(False, "gives MongoDB's administrator another password")

    def close(self) -> None:
        """The client is closed by the keeper of the schema."""
