"""The prediction job: readings from Kafka → verdicts with the promoted model → topic and collection `predictions`.

Run by spark-submit like `aggregate.py`; the same settings, with a checkpoint of its own. Spark reads, plans and commits the
batches; each batch's readings are scored on the driver, vectorised over the devices of a shard. The shard follows from the
device's id, so a device is scored once whatever partitions its records come over. Within a batch the order of readings is that
of their arrival at the broker, then of partition and offset.

Exit codes: see `process`.
"""

import logging
import threading
import time
from collections.abc import Mapping
from typing import Any

from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame
from pyspark.sql.streaming.query import StreamingQuery

from backend.contract import names
from spark import process
from spark.checkpoint import ResetNeededError, read_position
from spark.failure import reason
from spark.job import NoModelError, StreamingJob
from spark.predict_begin import WARM_UP_S, begin_anew, published, remembered, skipped
from spark.predict_model import PromotedModel
from spark.predict_rows import Batch, parse
from spark.predict_scorer import BatchScorer, newest
from spark.predict_settings import PredictSettings
from spark.predict_sink import Sink
from spark.predict_state import StateStore
from spark.query import read
from spark.standby import NO_MODEL, SERVICE

log = logging.getLogger(SERVICE)


class Counters:
    """What the job did since its start; written by the batches, read by the progress."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[str, Any] = {"scored": 0, "anomalies": 0, "invalid_rows": 0, "score_ms": 0, "model": ""}

    def add(self, *, scored: int, anomalies: int, invalid: int, score_ms: int, model: str) -> None:
        """One batch."""
        with self._lock:
            self._values["scored"] += scored
            self._values["anomalies"] += anomalies
            self._values["invalid_rows"] += invalid
            self._values["score_ms"], self._values["model"] = score_ms, model

    def values(self) -> Mapping[str, Any]:
        """All of them."""
        with self._lock:
            return dict(self._values)


class Batches:
    """Takes Spark's batches."""

    def __init__(self, *, scorer: BatchScorer, sink: Sink, counters: Counters, publish_ms: int = 0) -> None:
        self._scorer, self._sink, self._counters, self._publish_ms = scorer, sink, counters, publish_ms

    def __call__(self, frame: DataFrame, batch: int) -> None:
        """One batch. What it raises fails the query, and the batch comes again."""
        found, first_arrival_ms = collect(frame)
        began = time.perf_counter()
        answer = self._scorer.score(batch, found.shards)
        score_ms = int((time.perf_counter() - began) * 1000)
        documents = published(
            newest(answer.documents), publish_ms=self._publish_ms, first_arrival_ms=first_arrival_ms, shards=found.shards
        )
        self._sink.write(documents)
        self._counters.add(
            scored=answer.scored,
            anomalies=sum(1 for row in documents if row["anomaly"]),
            invalid=found.refused,
            score_ms=score_ms,
            model=answer.model,
        )


def collect(frame: DataFrame) -> tuple[Batch, int]:
    """The readings of a batch by shard, in the order of their arrival, then of partition and offset.

    Returns:
        The readings, and when the first record arrived (epoch ms).
    """
    table = frame.select("partition", "offset", "value", "timestamp").toArrow()
    partitions = table["partition"].to_pylist()
    offsets = table["offset"].to_pylist()
    values = table["value"].to_pylist()
    arrivals = table["timestamp"].cast("timestamp[ms]", safe=False).cast("int64").to_pylist()
    order = sorted(range(len(offsets)), key=lambda i: (arrivals[i], partitions[i], offsets[i]))
    return parse([values[i] for i in order], [arrivals[i] for i in order]), min(arrivals, default=0)


def write(records: DataFrame, settings: PredictSettings, batches: Batches) -> StreamingQuery:
    """Start scoring."""
    return (
        records.writeStream.queryName(names.JOB_PREDICT)
        .trigger(processingTime=f"{int(settings.trigger_s * 1000)} milliseconds")
        .option("checkpointLocation", str(settings.checkpoint_dir))
        .foreachBatch(batches)
        .start()
    )


class PredictJob(StreamingJob):
    """Scores what comes into the topic with the promoted model."""

    def __init__(self, started: process.Process[PredictSettings]) -> None:
        settings = self._settings = started.settings
        super().__init__(
            service=started.service, session=started.session, settings=settings, state=started.state, stop=started.stop
        )
        self._model = PromotedModel(mongo_uri=settings.mongo_address, key=settings.seal_key, poll_s=settings.model_poll_s)
        self._model.start()
        started.closing.callback(self._model.close)
        self._counters = Counters()
        started.extra.append(self._counters.values)
        self._sink = Sink(bootstrap=settings.kafka_bootstrap, mongo_uri=settings.mongo_address)
        self._begin = remembered(settings.checkpoint_dir)

    def run(self) -> None:
        """Until stopped; a checkpoint that cannot be used any more is no reason to stop."""
        while not self._stop.is_set():
            try:
                super().run()
            except ResetNeededError as error:
                self._begin_anew(why=str(error))

    def _prepare(self) -> None:
        now_ms = time.time_ns() // 1_000_000
        position = read_position(self._checkpoint_dir, names.TOPIC_MESSAGES)
        at = {**self._topic.read().end, **self._topic.offsets_at(now_ms - int(WARM_UP_S * 1000))}
        missed = skipped(position, at)
        if missed:
            self._begin_anew(missed, "The job was away for more than ten minutes.")
        elif position is None and self._begin is None:
            self._begin_anew()

    def _begin_anew(self, missed: int = 0, why: str = "") -> None:
        self._begin = begin_anew(self._checkpoint_dir, now_ms=time.time_ns() // 1_000_000, skipped=missed, why=why)
        if sentence := self._begin.sentence():
            log.warning("%s", sentence)

    def _start(self) -> StreamingQuery:
        begin, settings = self._begin, self._settings
        store = StateStore(settings.checkpoint_dir / "shards")
        batches = Batches(
            scorer=BatchScorer(store=store, model=self._model.current, version=self._model.version),
            sink=self._sink,
            counters=self._counters,
            publish_ms=begin.publish_ms if begin else 0,
        )
        return write(read(self._session, settings, from_ms=begin.from_ms if begin else None), settings, batches)

    def _note(self) -> str:
        if self._model.none_promoted:
            raise NoModelError(NO_MODEL)
        if self._model.problem:
            return self._model.problem
        recent = self._begin is not None and time.time_ns() // 1_000_000 - self._begin.publish_ms < WARM_UP_S * 1000
        return self._begin.sentence() if self._begin is not None and recent else ""

    def _explain(self, error: StreamingQueryException, failures: int) -> None:
        self._state.say(ok=False, message=f"a batch failed and is repeated (attempt {failures}): {reason(error)}")


if __name__ == "__main__":
    process.run(process.Kind(SERVICE, names.JOB_PREDICT, PredictSettings, failed="the prediction job failed"), PredictJob)
