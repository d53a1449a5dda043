"""Who has seen to which anomaly, kept in MongoDB so that every desktop of the system knows."""

import threading
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from pymongo import DeleteOne, MongoClient, ReplaceOne
from pymongo.errors import PyMongoError

from backend.contract import documents, times
from backend.contract.documents import DamagedError, LeftOut
from backend.contract.names import COLLECTION_ACKNOWLEDGEMENTS, DATABASE
from desktop.model.predictions.event import EventKey
from desktop.model.predictions.store import PredictionStore
from desktop.services.errors import UnreachableError
from desktop.services.mongo import Document, reason

#: The newest are read; older ones belong to events that no list shows any more.
MAX_READ: Final = 20_000
#: Read again after so long though nothing seems to have changed.
_ANYWAY_S: Final = 30.0
_MAX_NAME_CHARS: Final = 100
_MAX_ID_CHARS: Final = 500


class Acknowledgements:
    """Reads and writes them. Any thread; blocking.

    Args:
        client: Opened by `desktop.services.mongo.open_client`; not closed here.
        store: Is told of all that is known.
        clock: Seconds since the epoch.
        left_out: Counts damaged documents.
    """

    def __init__(
        self,
        *,
        client: MongoClient[Document],
        store: PredictionStore,
        clock: Callable[[], float] = time.time,
        left_out: LeftOut | None = None,
    ) -> None:
        self._collection = client[DATABASE][COLLECTION_ACKNOWLEDGEMENTS]
        self._store, self._clock, self._left_out = store, clock, left_out or LeftOut()
        self._known: dict[EventKey, tuple[str, float]] = {}
        self._seen: tuple[Any, ...] = ()
        self._read_at = 0.0
        # What was read before something was written here must not be taken for the truth after it.
        self._order = threading.Lock()

    def poll(self) -> None:
        """Read them if they have changed.

        Raises:
            PyMongoError: MongoDB does not answer.
        """
        with self._order:
            newest = list(self._collection.find({}, {"at": 1}).sort("at", -1).limit(1))
            seen = (self._collection.estimated_document_count(), *(row.get("at") for row in newest))
            now = self._clock()
            if seen == self._seen and now - self._read_at < _ANYWAY_S:
                return
            found = self._collection.find({}, batch_size=1_000).sort("at", -1).limit(MAX_READ)
            self._known = dict(self._left_out.read(COLLECTION_ACKNOWLEDGEMENTS, found, _read))
            self._seen, self._read_at = seen, now
            self._store.set_acknowledged(self._known)

    def write(self, keys: Collection[EventKey], *, by: str, undo: bool = False) -> None:
        """Note that somebody has seen to these events, or take it back.

        Raises:
            UnreachableError: MongoDB did not take it.
        """
        at_ms = int(self._clock() * 1000)
        by = " ".join(by.split())[:_MAX_NAME_CHARS] or "somebody"
        asked: list[DeleteOne | ReplaceOne[Document]]
        if undo:
            asked = [DeleteOne({"_id": key.id}) for key in keys]
        else:
            asked = [ReplaceOne({"_id": key.id}, {"at": times.to_datetime(at_ms), "by": by}, upsert=True) for key in keys]
        if not asked:
            return
        with self._order:
            try:
                self._collection.bulk_write(asked, ordered=False)
            except PyMongoError as error:
                raise UnreachableError(
                    "It could not be noted", why=f"{reason(error)}.", remedy="Is MongoDB healthy? Then repeat it."
                ) from error
            written = set(keys)
            others = {key: who for key, who in self._known.items() if key not in written}
            self._known = others if undo else {**others, **dict.fromkeys(keys, (by, at_ms / 1e3))}
            self._store.set_acknowledged(self._known)


def _read(row: Mapping[str, Any]) -> tuple[EventKey, tuple[str, float]]:
    try:
        key = EventKey.from_id(documents.text(row, "_id", most=_MAX_ID_CHARS))
    except DamagedError:
        raise
    except ValueError:
        raise DamagedError("_id is not the identity of an anomaly") from None
    by = documents.text(row, "by", most=_MAX_NAME_CHARS) if row.get("by") else ""
    return key, (by, documents.time_ms(row, "at") / 1e3)
