"""Keeps MongoDB's collections as wanted: the validator that keeps bad readings out, and the indexes that keep all quick.

The validator is the second line: the sink's transform lets only readings through, but other writers have no such rule.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.errors import CollectionInvalid, OperationFailure, PyMongoError

from backend.common.mongo_errors import LOGIN_REFUSED, is_login_refused, short
from backend.contract import limits, names
from backend.contract.devices import DEVICE_TYPES, SENSORS
from backend.operator.keeper import Finding

_DUPLICATE_KEY = 11000

log = logging.getLogger("kafka-operator")

Document = dict[str, Any]

MESSAGE_VALIDATOR: Document = {
    "$jsonSchema": {
        "bsonType": "object",
        "required": ["device_id", "sensor", "timestamp", "value"],
        "additionalProperties": False,
        "properties": {
            "_id": {},
            "device_id": {"bsonType": "string", "minLength": 1, "maxLength": limits.MAX_DEVICE_ID_CHARS},
            "sensor": {"enum": list(SENSORS)},
            "timestamp": {"bsonType": "date"},
            "value": {"bsonType": ["double", "int", "long"]},
        },
    },
    # Each sensor's own range also keeps out NaN and Infinity, which JSON Schema's types let pass.
    "$or": [{"sensor": t.sensor, "value": {"$gte": t.minimum, "$lte": t.maximum}} for t in DEVICE_TYPES],
}


@dataclass(frozen=True, slots=True)
class IndexSpec:
    """An index as wanted: fields in order, all ascending.

    Attributes:
        only: What a document must be to stand in it; empty = all.
    """

    fields: tuple[str, ...]
    unique: bool = False
    only: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CollectionSpec:
    """A collection as wanted."""

    name: str
    indexes: tuple[IndexSpec, ...] = ()
    validator: Document | None = None


def wanted_collections() -> tuple[CollectionSpec, ...]:
    """Every collection of the system that needs more than to exist."""
    return (
        CollectionSpec(
            names.COLLECTION_MESSAGES,
            # (timestamp) serves "what came last" over all devices, the unique one all that names a device.
            (IndexSpec(names.IDENTITY_FIELDS, unique=True), IndexSpec(("timestamp",))),
            MESSAGE_VALIDATOR,
        ),
        CollectionSpec(
            names.COLLECTION_AGGREGATES, (IndexSpec(("window.end",)), IndexSpec(("device_id", "sensor", "window.start")))
        ),
        CollectionSpec(
            names.COLLECTION_PREDICTIONS,
            # Anomalies are one in thousands, and all that is ever asked for over all devices.
            (
                IndexSpec(("device_id", "sensor", "timestamp")),
                IndexSpec(("timestamp",)),
                IndexSpec(("anomaly", "timestamp"), only={"anomaly": True}),
            ),
        ),
        CollectionSpec(names.COLLECTION_PROGRESS),
        CollectionSpec(names.COLLECTION_REFUSALS),
        # Every desktop looks for the newest once a second.
        CollectionSpec(names.COLLECTION_ACKNOWLEDGEMENTS, (IndexSpec(("at",)),)),
    )


def _matches(actual: Mapping[str, Any], spec: IndexSpec) -> bool:
    return (
        tuple(actual["key"].items()) == tuple((name, 1) for name in spec.fields)
        and bool(actual.get("unique", False)) == spec.unique
        and dict(actual.get("partialFilterExpression") or {}) == dict(spec.only)
    )


def _remove_doubles(collection: "Collection[Document]", fields: Sequence[str]) -> int:
    """Keep the newest document of each key, which has its last value; without the index others were stored beside it.

    Args:
        collection: Whose unique index is missing.
        fields: Of that index.

    Returns:
        How many documents were removed.
    """
    group = {"_id": {name: f"${name}" for name in fields}, "newest": {"$max": "$_id"}, "count": {"$sum": 1}}
    removed = 0
    for row in collection.aggregate([{"$group": group}, {"$match": {"count": {"$gt": 1}}}], allowDiskUse=True):
        key = {name: row["_id"].get(name) for name in fields}
        removed += collection.delete_many({**key, "_id": {"$ne": row["newest"]}}).deleted_count
    return removed


class SchemaKeeper:
    """See the module.

    Attributes:
        corrections: Steps that put something right since the start.
    """

    name = "indexes"

    def __init__(
        self, *, client: "MongoClient[Document]", wanted: Sequence[CollectionSpec], database: str = names.DATABASE
    ) -> None:
        self._client, self._wanted, self._database = client, tuple(wanted), database
        self.corrections = 0

    def step(self) -> Finding:
        try:
            changed = self._reconcile()
        except OperationFailure as error:
            if is_login_refused(error):
                return Finding(False, LOGIN_REFUSED)
            return Finding(
                False, f"MongoDB refuses what the collections need: {error.details.get('errmsg') if error.details else error}"
            )
        except PyMongoError as error:
            return Finding(False, f"waits for MongoDB: {short(error)}", waiting=True)
        return Finding(not changed, "puts MongoDB's indexes right" if changed else "")

    def _reconcile(self) -> bool:
        db = self._client[self._database]
        there = {entry["name"]: entry for entry in db.list_collections()}
        changed = False
        for spec in self._wanted:
            changed |= self._keep_collection(spec, there.get(spec.name))
        self.corrections += changed
        return changed

    def _keep_collection(self, spec: CollectionSpec, actual: Mapping[str, Any] | None) -> bool:
        db = self._client[self._database]
        changed = False
        if actual is None:
            try:
                if spec.validator is None:
                    db.create_collection(spec.name)
                else:
                    db.create_collection(spec.name, validator=spec.validator)
                log.info("collection %s: created", spec.name)
            except CollectionInvalid:  # somebody's first write was quicker; the next step sees its options
                log.info("collection %s: appeared meanwhile", spec.name)
            changed = True
        elif spec.validator is not None and actual.get("options", {}).get("validator") != spec.validator:
            db.command("collMod", spec.name, validator=spec.validator)
            log.warning("collection %s: validator put right", spec.name)
            changed = True
        if not spec.indexes:
            return changed
        indexes = list(db[spec.name].list_indexes())
        for index in spec.indexes:
            if any(_matches(i, index) for i in indexes):
                continue
            key = [(name, 1) for name in index.fields]
            if any(list(i["key"].items()) == key for i in indexes):  # the same fields otherwise: must go first
                db[spec.name].drop_index(key)
            options: Document = {"partialFilterExpression": dict(index.only)} if index.only else {}
            try:
                db[spec.name].create_index(key, unique=index.unique, **options)
            except OperationFailure as error:
                if not index.unique or error.code != _DUPLICATE_KEY:
                    raise
                removed = _remove_doubles(db[spec.name], index.fields)
                log.warning("collection %s: %d documents removed that others repeat", spec.name, removed)
                db[spec.name].create_index(key, unique=True, **options)
            log.info("collection %s: index on %s created", spec.name, ", ".join(index.fields))
            changed = True
        return changed

    def close(self) -> None:
        self._client.close()
