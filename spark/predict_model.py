"""The promoted model as the job sees it: looked for on a thread of its own, taken in between two batches."""

import logging
import threading
from typing import Any

from pymongo import MongoClient

from backend.contract.documents import DECODING
from backend.predictor.errors import ModelError
from backend.predictor.models.bundle import Bundle
from backend.predictor.registry import Registry, RegistryUnavailableError
from spark.standby import NO_MODEL

log = logging.getLogger("spark-predict")


class PromotedModel:
    """Follows the registry.

    Attributes:
        problem: Why there is no model, or empty.
        none_promoted: The registry said so when it was asked last.
    """

    def __init__(self, *, mongo_uri: str, key: bytes, poll_s: float = 3.0) -> None:
        self._client: MongoClient[dict[str, Any]] = MongoClient(
            mongo_uri,
            appname="spark-predict",
            serverSelectionTimeoutMS=2000,
            connectTimeoutMS=2000,
            socketTimeoutMS=60_000,
            **DECODING,
        )
        self._registry = Registry(self._client, key=key)
        self._poll_s = poll_s
        self._bundle: Bundle | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="promoted-model", daemon=True)
        self.problem = NO_MODEL
        self.none_promoted = False

    def start(self) -> None:
        """Look once, then follow."""
        self._look()
        self._thread.start()

    def close(self) -> None:
        """Stop following."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)
        self._client.close()

    def current(self) -> Bundle | None:
        """The model to score the next batch with."""
        return self._bundle

    def version(self, version: str) -> Bundle | None:
        """One version, where it is still there."""
        if self._bundle is not None and self._bundle.version == version:
            return self._bundle
        try:
            return self._registry.fetch(version)
        except ModelError as error:
            log.warning("model %s is not there any more: %s", version, error)
            return None

    def _follow(self) -> None:
        while not self._stop.wait(self._poll_s):
            self._look()

    def _look(self) -> None:
        try:
            version = self._registry.promoted()
            self.none_promoted = version is None
            if version is None:
                self._bundle, self.problem = None, NO_MODEL
            elif self._bundle is None or self._bundle.version != version:
                self._bundle, self.problem = self._registry.fetch(version), ""
        except RegistryUnavailableError as error:
            log.warning("%s", error)  # the model of before goes on
        except ModelError as error:
            self.problem = f"the promoted model cannot be used: {error}"
            log.error("%s", self.problem)  # noqa: TRY400 - the message says it all
