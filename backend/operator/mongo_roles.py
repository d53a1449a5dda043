"""What each of our accounts may do in MongoDB: as little as its work needs.

Rights on one collection are enforced by MongoDB; of its stand-ins, secantusd-rs enforces them and secantusd-py does not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from backend.contract import names

Document = dict[str, Any]

_READ = ("find",)
_WRITE = ("find", "insert", "remove", "update")
#: GridFS makes its collections and their indexes with the first file.
_OWN = (*_WRITE, "createCollection", "createIndex", "listIndexes")


@dataclass(frozen=True, slots=True)
class Grant:
    """Rights of a role.

    Attributes:
        reads_all: Whether it may read the whole database, which is MongoDB's own role "read".
        collections: Actions by collection, on top of that.
    """

    reads_all: bool = False
    collections: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def privileges(self) -> list[Document]:
        """As ``createRole`` and ``updateRole`` want them."""
        return [
            {"resource": {"db": names.DATABASE, "collection": collection}, "actions": sorted(actions)}
            for collection, actions in self.collections.items()
        ]

    def inherits(self) -> list[Document]:
        """Roles of MongoDB's own that it includes."""
        return [{"role": "read", "db": names.DATABASE}] if self.reads_all else []


#: By role of `backend.contract.login.MONGO_ROLES`.
GRANTS: Mapping[str, Grant] = {
    # It stores nothing before it has seen the unique index.
    "sink": Grant(collections={names.COLLECTION_MESSAGES: ("find", "insert", "listIndexes", "update")}),
    "spark": Grant(
        collections={
            names.COLLECTION_MESSAGES: _READ,
            names.COLLECTION_AGGREGATES: _WRITE,
            names.COLLECTION_PREDICTIONS: _WRITE,
            names.COLLECTION_PROGRESS: _WRITE,
            f"{names.BUCKET_MODELS}.files": _READ,
            f"{names.BUCKET_MODELS}.chunks": _READ,
            names.COLLECTION_MODEL_STATE: _READ,
        }
    ),
    "paai": Grant(reads_all=True, collections={names.COLLECTION_REFUSALS: ("find", "insert", "update")}),
    "predictor": Grant(
        reads_all=True,
        collections={
            names.COLLECTION_PREDICTIONS: _WRITE,
            f"{names.BUCKET_MODELS}.files": _OWN,
            f"{names.BUCKET_MODELS}.chunks": _OWN,
            names.COLLECTION_MODEL_STATE: _OWN,
        },
    ),
    "desktop": Grant(reads_all=True, collections={names.COLLECTION_ACKNOWLEDGEMENTS: _WRITE}),
}


def role_name(role: str) -> str:
    """The name of the role in MongoDB: ``paai-sink``."""
    return f"paai-{role}"


def is_as_wanted(actual: Mapping[str, Any], grant: Grant) -> bool:
    """Whether ``rolesInfo`` with its privileges says what `grant` says, in whatever order."""
    return _comparable(actual.get("privileges", ()), actual.get("roles", ())) == _comparable(
        grant.privileges(), grant.inherits()
    )


def _comparable(privileges: Any, roles: Any) -> tuple[set[tuple[str, frozenset[str]]], set[tuple[str, str]]]:
    return (
        {(str(sorted(p["resource"].items())), frozenset(p["actions"])) for p in privileges},
        {(r["role"], r["db"]) for r in roles},
    )
