"""The process of a streaming job: settings, log, signals, state file, progress, Spark's session, and what its end means.

Exit codes: 0 stopped by SIGTERM; 2 settings that cannot be used; 78 the checkpoint does not belong to the topic any more, and
somebody must decide (starting again helps nothing); 75 no model is promoted any more (see `standby`); 1 anything else (starting
again may help).
"""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Final, Generic, NoReturn, TypeVar

from pydantic import ValidationError
from pyspark.sql import SparkSession

from backend.contract import names
from spark.checkpoint import ResetNeededError, TopicUnavailableError
from spark.failure import is_jvm_gone, quietly, reason
from spark.job import NoModelError, StreamingJob
from spark.logs import set_up_logging
from spark.progress import Progress, ProgressWriter
from spark.query import ProgressListener, build_session
from spark.settings import EXIT_BAD_SETTINGS, JobSettings, reasons
from spark.state_file import StateFile

EXIT_RESET_NEEDED: Final = 78
#: EX_TEMPFAIL of sysexits.h.
EXIT_NO_MODEL: Final = 75

#: The process ends with `EXIT_RESET_NEEDED` so long after its start at the earliest: supervisord takes an exit within
#: `startsecs` for a failed start, whatever the code, and tries again.
RESET_AFTER_S: Final = 12.0
_SESSION_STOP_S: Final = 5.0

S = TypeVar("S", bound=JobSettings)

log = logging.getLogger("spark")


@dataclass(frozen=True, slots=True)
class Kind(Generic[S]):
    """What one job is called.

    Attributes:
        service: Its name in the catalogue; the state file's too.
        job: `_id` of its progress document.
        settings: What is read from the environment.
        failed: Begin of the sentence that says that it failed.
    """

    service: str
    job: str
    settings: type[S]
    failed: str


@dataclass(frozen=True, slots=True)
class Process(Generic[S]):
    """What a job is built from.

    Attributes:
        service: As of `Kind`.
        session: Spark's.
        stop: Set when the process shall end.
        closing: What the job opens beside it, closed before the rest.
        extra: Called at each batch for more fields of the progress document.
        on_progress: Called at each batch with Spark's progress, on its listener thread.
    """

    service: str
    settings: S
    session: SparkSession
    state: StateFile
    writer: ProgressWriter
    stop: threading.Event
    closing: ExitStack
    extra: list[Callable[[], Mapping[str, Any]]] = field(default_factory=list)
    on_progress: list[Callable[[Mapping[str, Any]], None]] = field(default_factory=list)


def run(kind: Kind[S], build: Callable[[Process[S]], StreamingJob]) -> NoReturn:
    """Run the job until it is stopped or fails, and end the process."""
    began = time.monotonic()
    code = _run(kind, build)
    sys.stdout.flush()
    if code == EXIT_RESET_NEEDED:
        time.sleep(max(0.0, began + RESET_AFTER_S - time.monotonic()))
    os._exit(code)  # py4j's callback thread would keep the process for a while


def _run(kind: Kind[S], build: Callable[[Process[S]], StreamingJob]) -> int:
    try:
        settings = kind.settings()  # type: ignore[call-arg]  # from the environment
    except ValidationError as error:
        sys.stderr.write(f"{kind.service} cannot start with these settings. {reasons(error)}\n")
        return EXIT_BAD_SETTINGS
    set_up_logging(kind.service, settings.log_level)
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)

    progress = Progress(
        job=kind.job, topic=names.TOPIC_MESSAGES, trigger_s=settings.trigger_s, watermark_s=settings.watermark_s
    )
    state = StateFile(settings.state_dir / f"{kind.service}.json", hint=progress.hint)
    state.start()
    writer = ProgressWriter(mongo_uri=settings.mongo_address)
    writer.start()
    closing = ExitStack()
    session: SparkSession | None = None
    try:
        session = build_session(settings, name=f"paai-{kind.job}")
        session.sparkContext.setLogLevel("WARN")
        process = Process(
            service=kind.service,
            settings=settings,
            session=session,
            state=state,
            writer=writer,
            stop=stop,
            closing=closing,
        )

        def on_progress(found: Any) -> None:
            for take in process.on_progress:
                take(found)
            document = dict(progress.add(found))
            for more in process.extra:
                document |= more()
            writer.put(document)

        session.streams.addListener(ProgressListener(on_progress, progress.idle))
        build(process).run()
    except ResetNeededError as error:
        state.say(ok=False, message=str(error))
        return EXIT_RESET_NEEDED
    except NoModelError as error:
        state.say(ok=True, message=str(error))
        return EXIT_NO_MODEL
    except TopicUnavailableError as error:
        state.say(ok=False, message=f"gave up waiting for the Kafka topic {names.TOPIC_MESSAGES}: {error}")
        return 1
    except Exception as error:  # the last resort of a process: its message must reach people
        if is_jvm_gone(error):
            # spark-submit gets the signals; its JVM goes first and this process with it.
            state.say(ok=False, message="stopped together with its JVM")
            return 128 + signal.SIGTERM
        if not stop.is_set():
            state.say(ok=False, message=f"{kind.failed}: {reason(error)}")
            log.debug("details", exc_info=True)
            return 1
    finally:
        closing.close()
        writer.close()
        state.close()
        if session is not None:
            _stop_session(session)
    state.say(ok=False, message="stopped")
    return 0


def _stop_session(session: SparkSession) -> None:
    """Stop Spark, for a few seconds at most: on SIGTERM the JVM may be gone already."""
    thread = threading.Thread(target=quietly, args=(session.stop,), daemon=True)
    thread.start()
    thread.join(timeout=_SESSION_STOP_S)
