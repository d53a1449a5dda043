"""Settings of paai."""

from pydantic import Field

from backend.common.mongo import MongoSettings
from backend.contract import ports


class PaaiSettings(MongoSettings):
    """What paai reads from the environment.

    Attributes:
        kafka_bootstrap: Brokers, ``host:port[,host:port…]``.
        linger_ms: How long the producer waits for company before it sends.
        ack_timeout_s: How long Kafka may take for its acknowledgement before the client gets 503.
        max_inflight_messages, max_inflight_bytes: Readings sent to Kafka and not acknowledged yet; beyond: 503.
        mongo_timeout_s: How long MongoDB may take to be found.
        query_timeout_s: How long one query may take.
    """

    port: int = Field(default=ports.PAAI, ge=0, le=65535)
    kafka_bootstrap: str = f"127.0.0.1:{ports.KAFKA}"
    linger_ms: float = Field(default=2.0, ge=0, le=1000)
    ack_timeout_s: float = Field(default=5.0, ge=1, le=60)
    max_inflight_messages: int = Field(default=100_000, ge=10_000)
    max_inflight_bytes: int = Field(default=64 * 1024 * 1024, ge=16 * 1024 * 1024)
    mongo_timeout_s: float = Field(default=2.0, ge=0.1, le=60)
    query_timeout_s: float = Field(default=30.0, ge=1, le=600)
