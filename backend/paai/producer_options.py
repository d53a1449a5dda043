"""How the Kafka producer is set up."""

from dataclasses import dataclass
from typing import Any

from backend.contract.limits import TOPIC_COMPRESSION


@dataclass(frozen=True, slots=True)
class PublisherOptions:
    """See `PaaiSettings` for what they mean."""

    bootstrap: str
    linger_ms: float = 2.0
    ack_timeout_s: float = 5.0
    max_messages: int = 100_000
    max_bytes: int = 64 * 1024 * 1024

    def producer_config(self) -> dict[str, Any]:
        """librdkafka's configuration."""
        return {
            "bootstrap.servers": self.bootstrap,
            "client.id": "paai",
            "enable.idempotence": True,
            "acks": "all",
            # As the topic, so that the broker does not pack again.
            "compression.type": TOPIC_COMPRESSION,
            "linger.ms": self.linger_ms,
            # An outage is answered within seconds; librdkafka's own five minutes would hold the client that long.
            "message.timeout.ms": int(self.ack_timeout_s * 1000),
            "request.timeout.ms": int(self.ack_timeout_s * 1000),
            # As Java clients spread keys, should one ever write to this topic.
            "partitioner": "murmur2_random",
            # The limits that clients meet are this class's own; librdkafka's only have to be wider.
            "queue.buffering.max.messages": 2 * self.max_messages,
            "queue.buffering.max.kbytes": 4 * self.max_bytes // 1024,
            "reconnect.backoff.ms": 100,
            "reconnect.backoff.max.ms": 1000,
            "socket.keepalive.enable": True,
            "allow.auto.create.topics": False,
            "topic.metadata.refresh.fast.interval.ms": 250,
            # Each failed attempt to connect would be a line on stderr; `error_cb` tells of the outage, once.
            "log_level": 2,
        }
