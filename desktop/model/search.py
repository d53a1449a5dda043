"""Search of device ids: what begins with the text comes before what contains it."""

import re
from collections.abc import Iterable

_DIGITS = re.compile(r"(\d+)")


def natural_key(device_id: str) -> tuple[tuple[int, int, str], ...]:
    """Sorts "2" before "10" and "thermostat-2" before "thermostat-10"."""
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in _DIGITS.split(device_id) if part)


def rank(device_ids: Iterable[str], text: str, limit: int) -> list[str]:
    """The best matches, case folded: equal, then prefix, then start of a part after a separator, then anywhere.

    An empty text matches all. At most `limit`.
    """
    wanted = text.strip().casefold()
    found: list[tuple[int, str]] = []
    for device_id in device_ids:
        folded = device_id.casefold()
        at = folded.find(wanted)
        if at < 0:
            continue
        if folded == wanted:
            place = 0
        elif at == 0:
            place = 1
        elif not folded[at - 1].isalnum():
            place = 2
        else:
            place = 3
        found.append((place, device_id))
    found.sort(key=lambda pair: (pair[0], natural_key(pair[1])))
    return [device_id for _, device_id in found[:limit]]
