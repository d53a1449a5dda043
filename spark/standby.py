"""Waits for a promoted model, then becomes the prediction job: ``python -m spark.standby COMMAND…``.

Without a model there is nothing to score, and a driver with its executor costs a gigabyte. This process costs some 50 MB: it
asks MongoDB every few seconds and writes the job's state file. COMMAND takes its place, and ends with `process.EXIT_NO_MODEL`
once no model is promoted any more, so that whoever restarts services comes back to this.

Exit codes: 0 stopped by SIGTERM; 2 settings that cannot be used.
"""

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any, Final, NoReturn

from pydantic import Field, ValidationError
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from backend.contract.documents import DECODING
from backend.predictor import promotion
from spark.logs import set_up_logging
from spark.settings import EXIT_BAD_SETTINGS, JobSettings, reasons
from spark.state_file import StateFile

SERVICE: Final = "spark-predict"
NO_MODEL: Final = "No model promoted"

log = logging.getLogger(SERVICE)


class StandbySettings(JobSettings):
    """As of the job, which gets the same environment.

    Attributes:
        model_poll_s: How often to look for a promoted model.
    """

    model_poll_s: float = Field(default=3.0, gt=0, le=10)


def wait_for_model(
    promoted: Callable[[], str | None], *, say: Callable[[bool, str], None], stop: threading.Event, poll_s: float
) -> str | None:
    """Ask until a model is promoted.

    Args:
        promoted: Its version, or None; may raise `PyMongoError`.
        say: Takes whether all is well, and a sentence.

    Returns:
        The version; None when stopped.
    """
    while not stop.is_set():
        try:
            version = promoted()
        except PyMongoError as error:
            say(False, f"waits for MongoDB: {str(error).splitlines()[0][:120]}")
        else:
            if version is not None:
                return version
            say(True, NO_MODEL)
        stop.wait(poll_s)
    return None


def main(command: Sequence[str]) -> int:
    """Entry point. Returns the exit status, unless the job has taken this process's place."""
    try:
        settings = StandbySettings()  # type: ignore[call-arg]  # from the environment
    except ValidationError as error:
        sys.stderr.write(f"{SERVICE} cannot start with these settings. {reasons(error)}\n")
        return EXIT_BAD_SETTINGS
    set_up_logging(SERVICE, settings.log_level)
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    state = StateFile(settings.state_dir / f"{SERVICE}.json")
    state.start()
    client: MongoClient[dict[str, Any]] = MongoClient(
        settings.mongo_address,
        appname=f"{SERVICE}-standby",
        maxPoolSize=1,
        serverSelectionTimeoutMS=2000,
        connectTimeoutMS=2000,
        socketTimeoutMS=10_000,
        **DECODING,
    )
    with client:
        version = wait_for_model(
            lambda: promotion.read(client).version,
            say=lambda ok, message: state.say(ok=ok, message=message),
            stop=stop,
            poll_s=settings.model_poll_s,
        )
    if version is None:
        state.say(ok=False, message="stopped")
        state.close()
        return 0
    state.say(ok=True, message=f"Model {version} promoted; scoring starts")
    state.close()
    return become(command)


def become(command: Sequence[str]) -> NoReturn:
    """The command takes this process's place, and its signals."""
    sys.stdout.flush()
    os.execvp(command[0], list(command))  # noqa: S606 - the command of whoever deployed this


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
