"""The prediction job: readings from Kafka → verdicts with the promoted model → topic and collection `predictions`.

Run by spark-submit like `aggregate.py`; the same settings, with a checkpoint of its own. Spark reads, plans and commits the
batches; each batch's readings are scored on the driver, vectorised over the devices of a shard, which is a partition of the
topic: within it the order of readings is the order of their offsets, however they are cut into batches.

Exit codes as of `aggregate.py`.
"""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from types import FrameType
from typing import Any

from pydantic import ValidationError
from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from backend.contract import names
from spark.aggregate import EXIT_BAD_SETTINGS, EXIT_RESET_NEEDED, is_jvm_gone, reason
from spark.checkpoint import ResetNeededError, TopicUnavailableError
from spark.job import TOPIC_CHECK_S, StreamingJob
from spark.predict_model import PromotedModel
from spark.predict_rows import Rows, parse
from spark.predict_scorer import BatchScorer, newest
from spark.predict_settings import PredictSettings
from spark.predict_sink import Sink
from spark.predict_state import StateStore
from spark.progress import Progress, ProgressWriter
from spark.query import ProgressListener, build_session, read
from spark.state_file import StateFile

SERVICE = "spark-predict"

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

    def __init__(self, *, scorer: BatchScorer, sink: Sink, counters: Counters) -> None:
        self._scorer, self._sink, self._counters = scorer, sink, counters

    def __call__(self, frame: DataFrame, batch: int) -> None:
        """One batch. What it raises fails the query, and the batch comes again."""
        shards = collect(frame)
        began = time.perf_counter()
        answer = self._scorer.score(batch, shards)
        score_ms = int((time.perf_counter() - began) * 1000)
        self._sink.write(newest(answer.documents))
        self._counters.add(
            scored=answer.scored,
            anomalies=answer.anomalies,
            invalid=sum(rows.invalid for rows in shards.values()),
            score_ms=score_ms,
            model=answer.model,
        )


def collect(frame: DataFrame) -> dict[int, Rows]:
    """The readings of a batch by shard, in the order of their offsets."""
    table = frame.select("partition", "offset", "value", "timestamp").toArrow()
    partitions = table["partition"].to_pylist()
    offsets = table["offset"].to_pylist()
    values = table["value"].to_pylist()
    published = table["timestamp"].cast("timestamp[ms]", safe=False).cast("int64").to_pylist()
    order = sorted(range(len(offsets)), key=lambda i: (partitions[i], offsets[i]))
    by_shard: dict[int, list[tuple[bytes | None, int]]] = {}
    for i in order:
        by_shard.setdefault(partitions[i], []).append((values[i], published[i]))
    return {shard: parse(records) for shard, records in by_shard.items()}


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

    def __init__(
        self,
        *,
        session: SparkSession,
        settings: PredictSettings,
        state: StateFile,
        model: PromotedModel,
        batches: Batches,
        stop: threading.Event,
    ) -> None:
        super().__init__(session=session, settings=settings, state=state, stop=stop)
        self._settings, self._model, self._batches = settings, model, batches

    def _explain(self, error: StreamingQueryException, failures: int) -> None:
        self._state.say(ok=False, message=f"a batch failed and is repeated (attempt {failures}): {reason(error)}")

    def _run_query(self) -> None:
        query = write(read(self._session, self._settings), self._settings, self._batches)
        self._state.say(ok=True, message=self._model.problem)
        checked = time.monotonic()
        try:
            while not self._stop.is_set():
                if query.awaitTermination(1):
                    return
                if time.monotonic() - checked > TOPIC_CHECK_S:
                    checked = time.monotonic()
                    try:
                        self._check_topic()
                    except TopicUnavailableError as error:
                        self._state.say(ok=False, message=f"Kafka does not answer Spark: {error}")
                        continue
                self._state.say(ok=True, message=self._model.problem)
        finally:
            try:
                query.stop()
            except Exception as error:  # noqa: BLE001  # it is gone; that is what was wanted
                log.debug("it was gone already: %s", error)


def main() -> int:
    try:
        settings = PredictSettings()  # type: ignore[call-arg]  # from the environment
    except ValidationError as error:
        reasons = "; ".join(f"{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors())
        sys.stderr.write(f"{SERVICE} cannot start with these settings. {reasons}\n")
        return EXIT_BAD_SETTINGS
    _set_up_logging(settings.log_level)
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    counters = Counters()
    progress = Progress(job=names.JOB_PREDICT, topic=names.TOPIC_MESSAGES, trigger_s=settings.trigger_s)
    state = StateFile(settings.state_dir / f"{SERVICE}.json", hint=progress.hint)
    state.start()
    writer = ProgressWriter(mongo_uri=settings.mongo_address)
    writer.start()
    model = PromotedModel(mongo_uri=settings.mongo_address, key=settings.seal_key, poll_s=settings.model_poll_s)
    model.start()
    sink = Sink(bootstrap=settings.kafka_bootstrap, mongo_uri=settings.mongo_address)
    scorer = BatchScorer(store=StateStore(settings.checkpoint_dir / "shards"), model=model.current, version=model.version)
    batches = Batches(scorer=scorer, sink=sink, counters=counters)
    session: SparkSession | None = None
    try:
        session = build_session(settings, name="paai-predict")
        session.sparkContext.setLogLevel("WARN")
        listener = ProgressListener(lambda p: writer.put({**progress.add(p), **counters.values()}), progress.idle)
        session.streams.addListener(listener)
        PredictJob(session=session, settings=settings, state=state, model=model, batches=batches, stop=stop).run()
    except ResetNeededError as error:
        state.say(ok=False, message=str(error).replace("reset spark-job", f"reset {SERVICE}"))
        return EXIT_RESET_NEEDED
    except TopicUnavailableError as error:
        state.say(ok=False, message=f"gave up waiting for the Kafka topic {names.TOPIC_MESSAGES}: {error}")
        return 1
    except Exception as error:  # the last resort of a process: its message must reach people
        if is_jvm_gone(error):
            state.say(ok=False, message="stopped together with its JVM")
            return 128 + signal.SIGTERM
        if not stop.is_set():
            state.say(ok=False, message=f"the prediction job failed: {reason(error)}")
            log.debug("details", exc_info=True)
            return 1
    finally:
        model.close()
        writer.close()
        state.close()
        if session is not None:
            thread = threading.Thread(target=session.stop, daemon=True)
            thread.start()
            thread.join(timeout=5)
    state.say(ok=False, message="stopped")
    return 0


def _set_up_logging(level: str) -> None:
    formatter = logging.Formatter(f"%(asctime)s.%(msecs)03dZ %(levelname)s {SERVICE}: %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    logging.getLogger().handlers[:] = [handler]
    logging.getLogger().setLevel(level)
    logging.getLogger("py4j").setLevel(logging.CRITICAL)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # py4j's callback thread would keep the process for a while
