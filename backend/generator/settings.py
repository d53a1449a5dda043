"""Settings of the generator: the common ones and its own."""

from typing import Annotated

from pydantic import Field, HttpUrl

from backend.common.settings import ServiceSettings
from backend.contract import ports


class GeneratorSettings(ServiceSettings):
    """Settings of the generator.

    Attributes:
        url: paai's address, where readings are posted. The token of the common settings is sent there too.
        seed: Of the signals: the same seed and device give the same signal.
        buffer_readings: Readings that wait for paai at most; beyond it the oldest are given up.
        buffer_s: A reading older than this is given up.
        connections: To paai at the same time.
        request_timeout_s: For one request. Longer than paai waits for Kafka.
        flush_s: At the end: time for what still waits.
    """

    port: int = Field(default=ports.GENERATOR, ge=0, le=65535)
    url: HttpUrl = HttpUrl(f"http://127.0.0.1:{ports.PAAI}")
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 50
    buffer_readings: Annotated[int, Field(ge=1_000, le=5_000_000)] = 200_000
    buffer_s: Annotated[float, Field(ge=1, le=3600, allow_inf_nan=False)] = 120.0
    connections: Annotated[int, Field(ge=1, le=64)] = 8
    request_timeout_s: Annotated[float, Field(ge=1, le=120, allow_inf_nan=False)] = 15.0
    flush_s: Annotated[float, Field(ge=0, le=60, allow_inf_nan=False)] = 5.0
