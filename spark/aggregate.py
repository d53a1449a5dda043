"""The aggregates job: readings from Kafka → 10-second windows per device and sensor → MongoDB.

Run by spark-submit in client mode with the project's root on PYTHONPATH; settings from ``PAAI_*`` (see `settings.JobSettings`).
spark-submit gives ``--master``, the connectors' jars and ``--driver-memory``; the other ``spark.*`` settings the job makes
itself (`query.build_session`): session time zone, cores, executor memory, shuffle partitions, state store. Exit codes: see
`process`.
"""

import logging
from collections.abc import Mapping

from pyspark.errors import StreamingQueryException
from pyspark.sql.streaming.query import StreamingQuery

from backend.contract import names
from spark import checkpoint_version, process
from spark.checkpoint import TopicReader
from spark.failure import reason
from spark.heartbeat import Heartbeat, HeartbeatSender
from spark.job import StreamingJob
from spark.query import read, starting_offsets, write
from spark.settings import JobSettings
from spark.transform import WindowRules, transform

log = logging.getLogger("spark-job")


class Job(StreamingJob):
    """Windows from the topic into MongoDB."""

    def __init__(self, started: process.Process[JobSettings]) -> None:
        settings = self._settings = started.settings
        super().__init__(
            service=started.service, session=started.session, settings=settings, state=started.state, stop=started.stop
        )
        self._writer = started.writer
        self._rules = WindowRules(settings.window_s, settings.watermark_s, settings.max_future_s + settings.future_tolerance_s)
        self._begin = checkpoint_version.Start({}, checkpoint_version.ALWAYS)
        self._partitions: dict[str, Mapping[int, int]] = {}
        self._heartbeat = Heartbeat(HeartbeatSender(bootstrap=settings.kafka_bootstrap))
        self._heartbeats = TopicReader(bootstrap=settings.kafka_bootstrap, topic=names.TOPIC_HEARTBEATS)
        started.on_progress.append(self._heartbeat.note)

    def _start(self) -> StreamingQuery:
        start, topics = self._begin, self._partitions
        records = read(
            self._session,
            self._settings,
            topics=tuple(topics),
            begin=starting_offsets(start.offsets, topics),
            few_wait=True,
        )
        return write(transform(records, rules=self._rules), self._settings, whole_from_ms=start.whole_from_ms)

    def _prepare(self) -> None:
        heartbeats, topic = self._heartbeats.read(), self._topic.read()
        self._partitions = {names.TOPIC_MESSAGES: topic.begin, names.TOPIC_HEARTBEATS: heartbeats.begin}
        self._begin, said = checkpoint_version.prepare(
            self._settings.checkpoint_dir,
            topic,
            self._topic,
            name=names.TOPIC_MESSAGES,
            window_s=self._settings.window_s,
            has_windows=self._writer.has_windows,
        )
        if said:
            log.warning("%s", said)

    def _while_running(self) -> None:
        self._heartbeat.look(self._all_read)

    def _all_read(self) -> bool:
        position, topic = self._check_topic()
        if position is None:
            return False
        ends = self._topic.high_watermarks(topic)
        return all(end <= position.done.get(p, topic.begin.get(p, 0)) for p, end in ends.items())

    def _explain(self, error: StreamingQueryException, failures: int) -> None:
        if not self._writer.ping():
            message = "MongoDB does not answer; the windows wait in Kafka and are written when it is back"
        else:
            message = f"a batch failed and is repeated (attempt {failures}): {reason(error)}"
        log.warning("the query ended: %s", reason(error))
        self._state.say(ok=False, message=message)


if __name__ == "__main__":
    process.run(process.Kind("spark-job", names.JOB_AGGREGATE, JobSettings, failed="the Spark job failed"), Job)
