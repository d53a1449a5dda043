"""Which devices there are: the wanted fleet and the ids that follow from it. Pure; sends nothing."""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from backend.contract.devices import BY_TAG, DEVICE_TYPES, MAX_FLEET_PER_TYPE
from backend.contract.names import FLEET_ID_DIGITS

TAGS: Final = tuple(t.tag for t in DEVICE_TYPES)
MAX_NUMBERED: Final = MAX_FLEET_PER_TYPE * len(TAGS)
MIN_INTERVAL_S: Final = 0.1
MAX_INTERVAL_S: Final = 3600.0

#: The seed and the order of drawing of the original system: its clients know which device has which type.
_TYPE_SEED: Final = 50


class Member(NamedTuple):
    """One device: its id and the index of its type in DEVICE_TYPES."""

    device_id: str
    kind: int


def numbered(n: int) -> list[Member]:
    """Devices "1" … "n"; the types are drawn with a fixed seed, so that a longer fleet begins with the shorter one."""
    draw = random.Random(_TYPE_SEED)  # noqa: S311 - simulation
    return [Member(str(i), TAGS.index(draw.choice(TAGS))) for i in range(1, n + 1)]


def of_type(tag: str, n: int) -> list[Member]:
    """Devices ``<prefix>-00001`` … of one type."""
    prefix, kind = BY_TAG[tag].id_prefix, TAGS.index(tag)
    return [Member(f"{prefix}-{i:0{FLEET_ID_DIGITS}d}", kind) for i in range(1, n + 1)]


@dataclass(frozen=True)
class Fleet:
    """The wanted fleet.

    Attributes:
        counts: Devices with fleet ids, by tag; a tag in `numbered_tags` has none.
        numbered: Length of the numbered fleet that `numbered_tags` are taken from.
        numbered_tags: Types whose devices are the numbered ones.
        interval_ms: Between two readings of a device.
        running: Whether readings are wanted.
    """

    counts: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(TAGS, 0))
    numbered: int = 0
    numbered_tags: frozenset[str] = frozenset()
    interval_ms: int = 1000
    running: bool = False

    def members(self) -> list[Member]:
        """All devices in a fixed order: numbered ones first, then type by type."""
        members = [m for m in numbered(self.numbered) if TAGS[m.kind] in self.numbered_tags] if self.numbered_tags else []
        for tag in TAGS:
            members += of_type(tag, self.counts[tag])
        return members

    def by_tag(self) -> dict[str, int]:
        """How many devices of each type, whatever their ids are."""
        drawn = Counter(m.kind for m in numbered(self.numbered)) if self.numbered_tags else Counter()
        return {tag: drawn[kind] if tag in self.numbered_tags else self.counts[tag] for kind, tag in enumerate(TAGS)}

    def start_numbered(self, n: int) -> "Fleet":
        """The fleet of ``POST start``: replaces the present one and runs."""
        return Fleet(numbered=n, numbered_tags=frozenset(TAGS), interval_ms=self.interval_ms, running=True)

    def change(self, counts: Mapping[str, int], *, interval_ms: int | None = None) -> "Fleet":
        """The fleet of ``PUT fleet``.

        A type that is not named stays as it is. A named one gets devices with fleet ids, except that the numbered devices of a
        running fleet go on where their number is what is wanted anyway. Naming any type starts (or, with nothing left, stops)
        the fleet; the interval alone does neither.
        """
        before = self.by_tag()
        new, still = dict(self.counts), set(self.numbered_tags)
        for tag, n in counts.items():
            if tag in still and self.running and n == before[tag]:
                continue
            still.discard(tag)
            new[tag] = n
        changed = replace(self, counts=new, numbered_tags=frozenset(still), interval_ms=interval_ms or self.interval_ms)
        if not still:
            changed = replace(changed, numbered=0)
        total = sum(changed.by_tag().values())
        return replace(changed, running=total > 0 if counts else self.running)
