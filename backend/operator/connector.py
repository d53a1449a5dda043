"""Keeps the sink connector as wanted, restarts what FAILED, and notices when it runs and confirms nothing."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from backend.contract import limits, names
from backend.contract.figures import plural
from backend.operator.backoff import Backoff
from backend.operator.connect_client import Connect, ConnectorStatus, ConnectUnavailableError
from backend.operator.keeper import Finding
from backend.operator.lag import Lag, LagWatch
from backend.operator.topics import KafkaUnavailableError

log = logging.getLogger("kafka-operator")

_NAME = names.SINK_CONNECTOR


class ConnectorKeeper:
    """See the module.

    Attributes:
        restarts: Restarts of a FAILED or stuck connector since the start.
        corrections: How often the configuration was put (back).
        lag: The last look at how far the sink is behind, or None.
    """

    name = "connector"

    def __init__(
        self,
        *,
        connect: Connect,
        config: dict[str, str],
        watch: LagWatch,
        may_start: Callable[[], bool],
        mongo_is_up: Callable[[], bool],
        find_storing: Callable[[], str],
        topic_generation: Callable[[], int],
        stuck_after_s: float,
        stuck_restart_after_s: float,
        clock: Callable[[], float] = time.monotonic,
        backoff: Backoff | None = None,
    ) -> None:
        """Args:
        may_start: Whether topics and collections are as wanted, so that the connector may be created.
        topic_generation: How often the topic was created; when that grows under a connector, it starts over.
        mongo_is_up: Whether MongoDB answers; a task that FAILED for want of it is not restarted before.
        find_storing: Why a restart of a sink that confirms nothing would not help; empty when it might.
        """
        self._connect, self._config, self._watch = connect, config, watch
        self._may_start, self._mongo_is_up, self._clock = may_start, mongo_is_up, clock
        self._find_storing = find_storing
        self._stuck_after_s, self._stuck_restart_after_s = stuck_after_s, stuck_restart_after_s
        self._backoff = backoff or Backoff()
        self._stuck_backoff = Backoff(first_s=stuck_restart_after_s, most_s=8 * stuck_restart_after_s)
        self._topic_generation, self._generation = topic_generation, 0
        self.restarts = 0
        self.corrections = 0
        self.lag: Lag | None = None

    def step(self) -> Finding:
        try:
            actual = self._connect.config(_NAME)
            if actual != self._config:
                return self._put_config(actual)
            status = self._connect.status(_NAME)
            if status is not None and self._topic_generation() > self._generation:
                return self._start_over(status)
            if status is None or (not status.tasks and status.state == "RUNNING"):
                return Finding(False, "waits for Connect to start the sink's tasks", waiting=True)
            if status.failed:
                return self._restart_failed(status)
            if status.state in ("PAUSED", "STOPPED"):
                self._connect.resume(_NAME)
                log.warning("connector %s: it was %s; resumed", _NAME, status.state.lower())
                return Finding(False, f"the sink was {status.state.lower()} and is being resumed")
            if not status.running:
                return Finding(False, "waits for Connect to start the sink's tasks", waiting=True)
            return self._look_at_lag()
        except ConnectUnavailableError as error:
            return Finding(False, f"waits for Connect: {error}", waiting=True)

    def _put_config(self, actual: dict[str, str] | None) -> Finding:
        if actual is None and not self._may_start():
            return Finding(False, "waits for the topics and collections before it creates the sink", waiting=True)
        if actual is None:
            self._generation = self._topic_generation()
        self._connect.put_config(_NAME, self._config)
        self.corrections += 1
        if actual is None:
            log.info("connector %s: created", _NAME)
        else:
            differing = sorted(k for k in {*actual, *self._config} if actual.get(k) != self._config.get(k))
            log.warning("connector %s: configuration put right: %s", _NAME, ", ".join(differing))
        return Finding(False, "creates the sink connector" if actual is None else "puts the sink connector right")

    def _start_over(self, status: ConnectorStatus) -> Finding:
        """The topic was wiped: what was committed belongs to the old one and could skip the new one's first records."""
        if status.state != "STOPPED":
            self._connect.stop(_NAME)
            return Finding(False, "the topic was created anew; the sink is stopped to start over at its beginning")
        generation = self._topic_generation()
        self._connect.forget_offsets(_NAME)
        self._connect.resume(_NAME)
        self._generation = generation
        log.warning("connector %s: starts over, because the topic was created anew", _NAME)
        return Finding(False, "the topic was created anew; the sink starts over at its beginning")

    def _restart_failed(self, status: ConnectorStatus) -> Finding:
        what = f"the MongoDB sink failed ({status.trace or 'no reason given'})"
        if not self._mongo_is_up():
            return Finding(False, f"{what}; it is restarted as soon as MongoDB answers")
        now = self._clock()
        if not self._backoff.ready(now):
            return Finding(False, f"{what}; it is restarted in {self._backoff.wait_s(now):.0f} s (restart {self.restarts + 1})")
        self._backoff.attempted(now)
        self.restarts += 1
        log.warning("connector %s: restart %d of what failed: %s", _NAME, self.restarts, status.trace)
        self._connect.restart(_NAME, only_failed=True)
        return Finding(False, f"{what}; restarted")

    def _look_at_lag(self) -> Finding:
        now = self._clock()
        try:
            lag = self.lag = self._watch.look(now)
        except KafkaUnavailableError as error:
            return Finding(False, f"waits for Kafka: {error}", waiting=True)
        if lag.still_s < self._stuck_after_s:
            return Finding(not lag.held, _held_message(lag, now))
        wait = f"{plural(lag.records, 'record')} {'waits' if lag.records == 1 else 'wait'}"
        message = f"the MongoDB sink runs but has confirmed nothing for {lag.still_s:.0f} s while {wait}"
        if storing := self._find_storing():
            return Finding(False, f"{message}: {storing}")
        if lag.still_s >= self._stuck_restart_after_s and self._mongo_is_up() and self._stuck_backoff.ready(now):
            self._stuck_backoff.attempted(now)
            self.restarts += 1
            log.warning("connector %s: restart %d, because it is stuck: %s", _NAME, self.restarts, message)
            self._connect.restart(_NAME, only_failed=False)
            message += "; restarted"
        return Finding(False, message)

    def close(self) -> None:
        self._connect.close()


def _held_message(lag: Lag, now: float) -> str:
    """One sentence on partitions that an open transaction holds; empty without."""
    if not lag.held:
        return ""
    wall = datetime.now(UTC)
    parts = (
        f"partition {held.partition} since {wall - timedelta(seconds=now - held.since):%H:%M:%S}Z"
        f" ({plural(held.records, 'record')})"
        for held in lag.held
    )
    return (
        f"an open transaction holds {names.TOPIC_MESSAGES} {', '.join(parts)}; what waits there is stored when the transaction"
        f" ends, {limits.TRANSACTION_MAX_S} s after its begin at the latest"
    )
