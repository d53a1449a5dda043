"""``python -m backend.predictor``: serve until told to stop."""

from backend.common.log import set_up_logging
from backend.common.server import run
from backend.common.settings import load_settings
from backend.predictor.main import create_app
from backend.predictor.settings import PredictorSettings


def main() -> None:
    """Entry point."""
    settings = load_settings(PredictorSettings, service="predictor")
    set_up_logging(settings.log_level, service="predictor")
    run(create_app(settings), settings, service="predictor")


if __name__ == "__main__":
    main()
