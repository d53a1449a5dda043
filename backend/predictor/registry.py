"""Versions of the models in MongoDB: files in GridFS, and one document that says which version is promoted.

A file's card is kept beside it too, so that lists are cheap; what is used is read from the sealed file alone. Calls block.
"""

import contextlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

import gridfs
import pymongo
from gridfs.errors import CorruptGridFile, NoFile
from pymongo import MongoClient, ReturnDocument
from pymongo.errors import OperationFailure, PyMongoError

from backend.contract import documents
from backend.contract.documents import DamagedError, LeftOut
from backend.contract.names import BUCKET_MODELS, COLLECTION_MODEL_STATE, DATABASE
from backend.predictor import promotion
from backend.predictor.errors import ModelError
from backend.predictor.models.bundle import Bundle, dump, load
from backend.predictor.promotion import PROMOTED, Promotion, is_version

log = logging.getLogger("predictor")

Document = dict[str, Any]
_COUNTER = "counter"
ENTRIES: Final = f"{BUCKET_MODELS}.files"
#: Former promoted versions that are remembered for rolling back.
_HISTORY: Final = 20
_TIMEOUT_S: Final = 20.0


class UnknownVersionError(ModelError):
    """There is no such version."""


class PromotedVersionError(ModelError):
    """The promoted version cannot be removed."""


class RegistryUnavailableError(ModelError):
    """MongoDB does not answer."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One version.

    Attributes:
        version: ``v3``.
        promoted: Whether it is served.
        card: See `training.run`.
        size: Of its file, bytes.
        checksum: SHA-256 of its file.
        since: When it was promoted; None for what is not served.
    """

    version: str
    promoted: bool
    card: Mapping[str, Any]
    size: int
    checksum: str
    since: datetime | None = None


class Registry:
    """The versions in one MongoDB.

    Args:
        client: Of MongoDB; its owner closes it.
        key: That model files are sealed with.

    Attributes:
        left_out: Counts damaged documents.
    """

    def __init__(self, client: MongoClient[Document], *, key: bytes, left_out: LeftOut | None = None) -> None:
        self.left_out = left_out or LeftOut(lambda sentence: log.warning("%s", sentence))
        database = client[DATABASE]
        self._files = gridfs.GridFSBucket(database, bucket_name=BUCKET_MODELS)
        self._entries = database[ENTRIES]
        self._state = database[COLLECTION_MODEL_STATE]
        self._key = key

    def entries(self) -> list[Entry]:
        """All versions, the newest first."""
        with _Guard():
            state = self._promotion()
            rows = self._entries.find({"metadata.card": {"$exists": True}})
            found = list(self.left_out.read(ENTRIES, rows, lambda row: _entry(row, state)))
        self.left_out.report()
        return sorted(found, key=lambda e: -int(e.version[1:]))

    def entry(self, version: str) -> Entry:
        """One version.

        Raises:
            UnknownVersionError: there is none.
        """
        _check(version)
        with _Guard():
            row = self._entries.find_one({"filename": version})
            if row is None:
                raise UnknownVersionError(f"There is no model {version}.")
            try:
                return _entry(row, self._promotion())
            except DamagedError as error:
                raise UnknownVersionError(f"The entry of model {version} is damaged: {error}. Delete it.") from None

    def publish(self, bundle: Bundle) -> str:
        """Store a bundle as a new version and name it."""
        with _Guard():
            version = self._next_version()
            card = {**bundle.card, "version": version}
            data = dump(replace(bundle, card=card), key=self._key)
            metadata = {"card": card, "sha256": sha256(data).hexdigest()}
            self._files.upload_from_stream(version, data, metadata=metadata)
        return version

    def fetch(self, version: str) -> Bundle:
        """Read a version, check it, and give what it holds.

        Raises:
            UnknownVersionError: there is none.
            ModelError: it must not be used; says why.
        """
        _check(version)
        with _Guard():
            data, checksum = self._download(version)
        if sha256(data).hexdigest() != checksum:
            raise ModelError(f"The file of model {version} was changed: its checksum differs. Train a new model.")
        bundle = load(data, key=self._key)
        if bundle.version != version:
            raise ModelError(f"The file of model {version} is that of {bundle.version or 'no version'}; it is not used.")
        return bundle

    def _download(self, version: str) -> tuple[bytes, object]:
        """The file and the checksum in its entry."""
        try:
            with self._files.open_download_stream_by_name(version) as stream:
                metadata = stream.metadata
                return stream.read(), metadata.get("sha256") if isinstance(metadata, Mapping) else None
        except NoFile:
            raise UnknownVersionError(f"There is no model {version}.") from None
        except (CorruptGridFile, AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
            # GridFS takes the types in its two collections for granted.
            raise ModelError(
                f"The file of model {version} is damaged: {str(error)[:100] or type(error).__name__}. Train a new model."
            ) from error

    def _next_version(self) -> str:
        """The next free number; a damaged counter starts again behind the highest version."""
        with contextlib.suppress(OperationFailure):  # a counter that is no number
            counter = self._state.find_one_and_update(
                {"_id": _COUNTER}, {"$inc": {"value": 1}}, upsert=True, return_document=ReturnDocument.AFTER
            )
            number = counter.get("value") if counter else 1
            if isinstance(number, int) and is_version(f"v{number}") and not self._exists(f"v{number}"):
                return f"v{number}"
        names = [row.get("filename") for row in self._entries.find({}, {"filename": True})]
        number = 1 + max((int(str(n)[1:]) for n in names if is_version(n)), default=0)
        self._state.replace_one({"_id": _COUNTER}, {"value": number}, upsert=True)
        log.warning("the counter of models was damaged; it goes on with v%d", number)
        return f"v{number}"

    def _exists(self, version: str) -> bool:
        return self._entries.find_one({"filename": version}, {"_id": True}) is not None

    def promoted(self) -> str | None:
        """The version that is served, if any."""
        with _Guard():
            return self._promoted()

    def promote(self, version: str) -> None:
        """Serve this version from now on. It is read and checked before.

        Raises:
            UnknownVersionError, ModelError: as of `fetch`.
        """
        self.fetch(version)
        with _Guard():
            before = self._promoted()
            if before == version:
                return
            push = {"$push": {"before": {"$each": [before], "$slice": -_HISTORY}}} if before else {}
            wanted = {"version": version, "at": datetime.now(UTC)}
            self._state.update_one({"_id": PROMOTED}, {"$set": wanted, **push}, upsert=True)

    def previous(self) -> str | None:
        """The version that `roll_back` would serve; None where there is none to go back to."""
        before = self._before()
        return before[-1] if before else None

    def _before(self) -> list[str]:
        """Versions promoted before the one that is, the newest last, without those that were removed."""
        with _Guard():
            state = self._promotion()
            names = [row.get("filename") for row in self._entries.find({}, {"filename": True})]
        known = {name for name in names if isinstance(name, str)}
        return [v for v in state.before if v in known and v != state.version]

    def roll_back(self) -> str:
        """Serve the version again that was served before this one.

        Raises:
            UnknownVersionError: there was none, or it is gone.
        """
        before = self._before()
        if not before:
            raise UnknownVersionError("There is no earlier promoted model to go back to.")
        version = before[-1]
        self.fetch(version)
        with _Guard():
            wanted = {"version": version, "at": datetime.now(UTC), "before": before[:-1]}
            self._state.update_one({"_id": PROMOTED}, {"$set": wanted})
        return version

    def delete(self, version: str) -> None:
        """Remove a version.

        Raises:
            UnknownVersionError: there is none.
            PromotedVersionError: it is served; promote another one first.
        """
        _check(version)
        with _Guard():
            if self._promoted() == version:
                raise PromotedVersionError(f"The model {version} is promoted. Promote another one before removing it.")
            row = self._entries.find_one({"filename": version})
            if row is None:
                raise UnknownVersionError(f"There is no model {version}.")
            self._files.delete(row["_id"])

    def _promoted(self) -> str | None:
        return self._promotion().version

    def _promotion(self) -> Promotion:
        found = promotion.from_document(self._state.find_one({"_id": PROMOTED}))
        if found.damaged:
            self.left_out.note(COLLECTION_MODEL_STATE, PROMOTED, "version is not the name of a model")
            self.left_out.report()
        return found


class _Guard:
    """Bounds the calls to MongoDB inside, and says it in our words when it does not answer."""

    def __enter__(self) -> None:
        self._limit = pymongo.timeout(_TIMEOUT_S)
        self._limit.__enter__()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        self._limit.__exit__(kind, error, trace)
        if isinstance(error, PyMongoError):
            text = str(error).partition(" (configured")[0][:200]
            raise RegistryUnavailableError(f"MongoDB does not answer: {text}. Repeat it.") from error


def _check(version: str) -> None:
    if not is_version(version):
        raise UnknownVersionError("A model's name is v and a number, e.g. v3.")


def _entry(row: Mapping[str, Any], state: Promotion) -> Entry:
    version = documents.text(row, "filename")
    if not is_version(version):
        raise DamagedError("filename is not the name of a model")
    metadata = row.get("metadata")
    card = metadata.get("card") if isinstance(metadata, Mapping) else None
    if not isinstance(card, Mapping) or not _is_json(card):
        raise DamagedError("metadata.card is not a JSON object")
    promoted = version == state.version
    return Entry(
        version,
        promoted,
        card,
        documents.count(row, "length"),
        documents.optional_text(row, "metadata.sha256"),
        state.at if promoted else None,
    )


def _is_json(card: Mapping[str, Any]) -> bool:
    try:
        json.dumps(card, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return True
