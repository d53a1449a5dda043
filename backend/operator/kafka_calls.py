"""Blocking, bounded calls of confluent-kafka's admin client, and its replacement when it hangs."""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from backend.operator.topics import KafkaUnavailableError

#: librdkafka reports each refused connection; what matters of it is in the state file.
_quiet = logging.getLogger("kafka-operator.librdkafka")
_quiet.setLevel(logging.CRITICAL)

#: After so many calls in a row without an answer the client is replaced: after a broker was killed while it started, one was
#: seen whose requests timed out for ever although the broker answered everybody else.
FAILURES_BEFORE_A_NEW_CLIENT = 3

MakeClient = Callable[[dict[str, Any]], Any]


def why(error: KafkaException) -> str:
    """What Kafka or the client said."""
    cause = error.args[0] if error.args else error
    return cause.str() if isinstance(cause, KafkaError) else str(cause)


def _confluent_client(config: dict[str, Any]) -> AdminClient:
    return AdminClient(config, logger=_quiet)


class KafkaCalls:
    """Base of what asks Kafka; every failure is a `KafkaUnavailableError`."""

    def __init__(self, *, bootstrap: str, timeout_s: float, make_client: MakeClient | None = None) -> None:
        """`make_client`: instead of confluent-kafka's, for tests."""
        self._timeout_s = timeout_s
        self._config: dict[str, Any] = {
            "bootstrap.servers": bootstrap,
            "client.id": "kafka-operator",
            "socket.timeout.ms": int(timeout_s * 1000),
            # The default of up to 10 s between attempts would be most of the whole start-up.
            "reconnect.backoff.ms": 100,
            "reconnect.backoff.max.ms": 500,
        }
        self._make_client = make_client or _confluent_client
        self._client: Any = self._make_client(self._config)
        self._failures = 0

    def _failed(self, what: str, reason: str) -> KafkaUnavailableError:
        self._failures += 1
        if self._failures >= FAILURES_BEFORE_A_NEW_CLIENT:
            self._failures = 0
            self._client = self._make_client(self._config)
        return KafkaUnavailableError(f"{what}: {reason}")

    def _all(self, what: str, futures: Mapping[Any, "Future[Any]"], *, fine: tuple[int, ...] = ()) -> dict[Any, Any]:
        """Answers by key; without those that failed with a code that is fine."""
        results: dict[Any, Any] = {}
        for key, future in futures.items():
            try:
                results[key] = future.result(timeout=self._timeout_s + 1)
            except KafkaException as error:
                cause = error.args[0] if error.args else None
                if isinstance(cause, KafkaError) and cause.code() in fine:
                    continue
                raise self._failed(what, why(error)) from error
            except TimeoutError as error:
                raise self._failed(what, f"no answer within {self._timeout_s:g} s") from error
        self._failures = 0
        return results
