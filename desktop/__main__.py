"""The command line: ``python -m desktop``."""

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from backend.contract.ports import MAX_OFFSET
from desktop.display import DisplayProbe
from stack.target import Target

TARGETS = ("auto", "swarm", "local")

#: Qt counts pixels up to 16 777 215.
_LENGTH_DIGITS = 5


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the arguments; ends the program for those that make no sense."""
    parser = argparse.ArgumentParser(
        prog="python -m desktop",
        description="Monitor of the PAAI stream: deploys the system, drives its fleet, shows what flows.",
    )
    parser.add_argument("--target", choices=TARGETS, default="auto", help="where the system runs (auto)")
    parser.add_argument("--context", default=None, metavar="NAME", help="a Docker context to deploy to; asks for the swarm")
    parser.add_argument(
        "--overlay",
        action="append",
        default=None,
        metavar="NAME",
        dest="overlays",
        help="of a swarm: stack/overlays/NAME.yml too",
    )
    parser.add_argument("--port-offset", type=_offset, default=None, metavar="N", help="shifts every port")
    parser.add_argument("--data-dir", type=Path, default=None, metavar="DIR", help="where the local system keeps its data")
    parser.add_argument("--deploy", action="store_true", help="deploy at once")
    parser.add_argument("--headless", action="store_true", help="show the monitor in the terminal")
    parser.add_argument("--screenshot", type=Path, default=None, metavar="FILE", help="save a picture of the window and end")
    parser.add_argument("--after", type=_seconds, default=5.0, metavar="SECONDS", help="when to take the picture (5)")
    parser.add_argument("--page", default=None, metavar="PAGE", help="begin with: live, history, anomalies, model or services")
    parser.add_argument("--theme", choices=("system", "light", "dark"), default=None, help="colours (as remembered)")
    parser.add_argument("--size", type=_size, default=None, metavar="WxH", help="size of the window")
    parser.add_argument("--settings", type=Path, default=None, metavar="FILE", help="another file of remembered settings")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the window, or the terminal where there is none. Returns the exit code."""
    options = parse(arguments)
    from stack.choose import Option, choose_target, target_of
    from stack.choose import options as offered
    from stack.errors import StackError

    with nullcontext() if options.headless else DisplayProbe(os.environ) as probe:
        try:
            target = target_of(options)
        except StackError as error:
            print(error, file=sys.stderr)
            return 2
        trouble = probe.trouble() if probe is not None else ""
    if trouble and options.screenshot is not None:
        print(f"{trouble} Drawing the picture without a display.", file=sys.stderr)
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    elif trouble:
        print(f"{trouble} Showing the monitor in the terminal.", flush=True)
        options.headless = True
    if options.headless:
        from desktop.headless.monitor import run as run_in_terminal

        return run_in_terminal(target, deploy=options.deploy)
    from desktop.app import Options, run
    from desktop.qtmodels.places import PlaceSource
    from desktop.services.switched_target import SwitchedTarget

    def make(option: Option) -> Target:
        return choose_target(
            option.kind,
            port_offset=options.port_offset,
            data_dir=options.data_dir,
            context=option.context,
            overlays=(options.overlays or ()) if option.kind == "swarm" else (),
        )

    switched = SwitchedTarget(target)
    return run(
        target=switched,
        places=PlaceSource(
            target=switched,
            context=options.context,
            find=lambda: offered(port_offset=options.port_offset, data_dir=options.data_dir),
            make=make,
        ),
        options=Options(
            deploy=options.deploy,
            screenshot=options.screenshot,
            after_s=options.after,
            page=options.page,
            theme=options.theme,
            size=options.size,
            settings_path=options.settings,
        ),
    )


def _offset(text: str) -> int:
    value = int(text) if text.isascii() and text.isdecimal() else -1
    if not 0 <= value <= MAX_OFFSET:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port offset; 0 … {MAX_OFFSET}")
    return value


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time; 0 … 3600 seconds")
    return value


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    if not (_is_length(width) and _is_length(height)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; for example 1280x800")
    return int(width), int(height)


def _is_length(text: str) -> bool:
    """Whether `text` is a number of pixels that a window can have."""
    return text.isascii() and text.isdecimal() and len(text) <= _LENGTH_DIGITS and int(text) > 0


if __name__ == "__main__":
    sys.exit(main())
