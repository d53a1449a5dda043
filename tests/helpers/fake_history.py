"""Stored readings in a list, asked by brute force: the plainest reading of the contract."""

from collections.abc import Iterable, Sequence

import msgspec

from backend.common.errors import UnavailableError
from backend.contract.messages import DeviceMessage
from backend.contract.times import from_iso
from backend.paai.stored import DevicePage, Statistics, StoredDevice, decode_cursor, encode_cursor


class FakeHistory:
    """In place of `MongoHistory`.

    Attributes:
        readings: By identity, so that a repeated one is stored once.
        down: While True, every question is refused.
    """

    def __init__(self) -> None:
        self.readings: dict[tuple[str, str, int], float] = {}
        self.down = False
        self.closed = False

    def store(self, _key: str, value: bytes) -> None:
        """Store one record value."""
        message = msgspec.json.decode(value, type=DeviceMessage)
        self.readings[message.device_id, message.sensor, from_iso(message.timestamp)] = message.value

    def add(self, message: DeviceMessage) -> None:
        """Store one message."""
        self.readings[message.device_id, message.sensor, from_iso(message.timestamp)] = message.value

    def _ask(self) -> None:
        if self.down:
            raise UnavailableError("MongoDB cannot be asked at the moment. Repeat it.", retry_after_s=2)

    async def statistics(
        self, device_ids: Iterable[str], sensors: Sequence[str], *, from_ms: int | None, to_ms: int
    ) -> list[Statistics]:
        self._ask()
        rows = []
        for device_id in sorted(set(device_ids)):
            for sensor in sorted(sensors):
                found = {
                    at: value
                    for (d, s, at), value in self.readings.items()
                    if (d, s) == (device_id, sensor) and (from_ms is None or at >= from_ms) and at < to_ms
                }
                if found:
                    values = list(found.values())
                    average = sum(values) / len(values)
                    rows.append(Statistics(device_id, sensor, average, max(values), min(values), len(values), min(found)))
        return rows

    async def devices(self, *, sensors: Sequence[str], prefix: str, limit: int, after: str | None) -> DevicePage:
        self._ask()
        behind = decode_cursor(after) if after else ("", "")
        pairs = sorted({(d, s) for d, s, _ in self.readings if s in sensors and d.startswith(prefix)})
        pairs = [pair for pair in pairs if pair > behind]
        rows = []
        for device_id, sensor in pairs[:limit]:
            times = [at for d, s, at in self.readings if (d, s) == (device_id, sensor)]
            rows.append(StoredDevice(device_id, sensor, min(times), max(times), len(times)))
        return DevicePage(rows, encode_cursor(*pairs[limit - 1]) if len(pairs) > limit else None)

    async def check(self) -> str:
        return "MongoDB does not answer." if self.down else ""

    async def close(self) -> None:
        self.closed = True
