"""`python -m backend.generator` serves; `python -m backend.generator history …` writes labelled series into files."""

import logging
import sys

from backend.common.log import set_up_logging
from backend.common.server import run
from backend.common.settings import load_settings
from backend.generator import history_cli
from backend.generator.main import create_app
from backend.generator.settings import GeneratorSettings

SERVICE = "generator"


def main(arguments: list[str]) -> int:
    """The command. Returns the exit status."""
    if arguments:
        return history_cli.main(arguments)
    settings = load_settings(GeneratorSettings, service=SERVICE)
    set_up_logging(settings.log_level, service=SERVICE)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # one line a request otherwise
    run(create_app(settings), settings, service=SERVICE)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
