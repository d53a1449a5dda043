"""The aggregates job: readings from Kafka → 10-second windows per device and sensor → MongoDB.

Run by spark-submit in client mode with the project's root on PYTHONPATH; settings from ``PAAI_*`` (see `settings.JobSettings`).
spark-submit gives ``--master``, the connectors' jars and ``--driver-memory``; the other ``spark.*`` settings the job makes
itself (`query.build_session`): session time zone, cores, executor memory, shuffle partitions, state store.

Exit codes: 0 stopped by SIGTERM; 2 settings that cannot be used; 78 the checkpoint does not belong to the topic any more, and
somebody must decide (starting again helps nothing); 1 anything else (starting again may help).
"""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

from py4j.protocol import Py4JNetworkError
from pydantic import ValidationError
from pyspark.errors import StreamingQueryException
from pyspark.sql import SparkSession

from backend.contract import names
from spark.checkpoint import ResetNeededError, TopicUnavailableError
from spark.job import TOPIC_CHECK_S, StreamingJob
from spark.progress import Progress, ProgressWriter
from spark.query import ProgressListener, build_session, read, write
from spark.settings import JobSettings
from spark.state_file import StateFile
from spark.transform import WindowRules, transform

SERVICE = "spark-job"
EXIT_RESET_NEEDED = 78
EXIT_BAD_SETTINGS = 2

log = logging.getLogger(SERVICE)


class Job(StreamingJob):
    """Windows from the topic into MongoDB."""

    def __init__(
        self, *, session: SparkSession, settings: JobSettings, state: StateFile, writer: ProgressWriter, stop: threading.Event
    ) -> None:
        super().__init__(session=session, settings=settings, state=state, stop=stop)
        self._settings, self._writer = settings, writer
        self._rules = WindowRules(settings.window_s, settings.watermark_s, settings.max_future_s + settings.future_tolerance_s)

    def _run_query(self) -> None:
        query = write(transform(read(self._session, self._settings), rules=self._rules), self._settings)
        self._state.say(ok=True)
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
                    else:
                        self._state.say(ok=True)
        finally:
            _quietly(query.stop)

    def _explain(self, error: StreamingQueryException, failures: int) -> None:
        if not self._writer.ping():
            message = "MongoDB does not answer; the windows wait in Kafka and are written when it is back"
        else:
            message = f"a batch failed and is repeated (attempt {failures}): {reason(error)}"
        log.warning("the query ended: %s", reason(error))
        self._state.say(ok=False, message=message)


def is_jvm_gone(error: BaseException | None) -> bool:
    """Whether an error only says that the JVM does not answer any more."""
    while error is not None:
        if isinstance(error, Py4JNetworkError | ConnectionError):
            return True
        error = error.__cause__ or error.__context__
    return False


def reason(error: BaseException) -> str:
    """The innermost cause of an error of Spark, else its first line; at most 300 characters. The rest is a Java stack trace."""
    trace = str(getattr(error, "_stackTrace", "") or "")  # of pyspark's own exceptions; there is no public way to it
    lines = [line.removeprefix("Caused by: ").strip() for line in trace.splitlines() if line.startswith("Caused by: ")][-1:]
    lines += [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__


def set_up_logging(level: str) -> None:
    """Plain lines on stdout, as all services write them."""
    formatter = logging.Formatter(f"%(asctime)s.%(msecs)03dZ %(levelname)s {SERVICE}: %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    logging.getLogger().handlers[:] = [handler]
    logging.getLogger().setLevel(level)
    logging.getLogger("py4j").setLevel(logging.CRITICAL)  # when the JVM goes first, it has much to say and nothing to tell


def main() -> int:
    try:
        settings = JobSettings()  # type: ignore[call-arg]  # from the environment
    except ValidationError as error:
        reasons = "; ".join(
            f"PAAI_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" if e["loc"] else e["msg"] for e in error.errors()
        )
        sys.stderr.write(f"{SERVICE} cannot start with these settings. {reasons}\n")
        return EXIT_BAD_SETTINGS
    set_up_logging(settings.log_level)
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)

    progress = Progress(job=names.JOB_AGGREGATE, topic=names.TOPIC_MESSAGES, trigger_s=settings.trigger_s)
    state = StateFile(settings.state_dir / f"{SERVICE}.json", hint=progress.hint)
    state.start()
    writer = ProgressWriter(mongo_uri=settings.mongo_address)
    writer.start()
    session: SparkSession | None = None
    try:
        session = build_session(settings, name="paai-aggregate")
        session.sparkContext.setLogLevel("WARN")
        session.streams.addListener(ProgressListener(lambda p: writer.put(progress.add(p)), progress.idle))
        Job(session=session, settings=settings, state=state, writer=writer, stop=stop).run()
    except ResetNeededError as error:
        state.say(ok=False, message=str(error))
        return EXIT_RESET_NEEDED
    except TopicUnavailableError as error:
        state.say(ok=False, message=f"gave up waiting for the Kafka topic {names.TOPIC_MESSAGES}: {error}")
        return 1
    except Exception as error:  # the last resort of a process: its message must reach people
        if is_jvm_gone(error):
            # spark-submit gets the signals; its JVM goes first and this process with it.
            state.say(ok=False, message="stopped together with its JVM")
            return 128 + signal.SIGTERM
        if not stop.is_set():
            state.say(ok=False, message=f"the Spark job failed: {reason(error)}")
            log.debug("details", exc_info=True)
            return 1
    finally:
        writer.close()
        state.close()
        if session is not None:
            _stop_session(session)
    state.say(ok=False, message="stopped")
    return 0


def _stop_session(session: SparkSession) -> None:
    """Stop Spark, for a few seconds at most: on SIGTERM the JVM may be gone already."""
    thread = threading.Thread(target=_quietly, args=(session.stop,), daemon=True)
    thread.start()
    thread.join(timeout=5)


def _quietly(stop: Callable[[], None]) -> None:
    try:
        stop()
    except Exception as error:  # noqa: BLE001  # it is gone; that is what was wanted
        log.debug("it was gone already: %s", error)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # py4j's callback thread would keep the process for a while
