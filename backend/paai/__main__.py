"""``python -m backend.paai``: serve until told to stop."""

from backend.common.log import set_up_logging
from backend.common.server import run
from backend.common.settings import load_settings
from backend.paai.main import create_app
from backend.paai.settings import PaaiSettings


def main() -> None:
    """Entry point."""
    settings = load_settings(PaaiSettings, service="paai")
    set_up_logging(settings.log_level, service="paai")
    run(create_app(settings), settings, service="paai")


if __name__ == "__main__":
    main()
