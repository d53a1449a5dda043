"""The arguments of `python -m stack`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from backend.contract.ports import MAX_OFFSET
from stack.catalogue import BY_NAME
from stack.choose import KINDS

EXIT_OK, EXIT_FAILED, EXIT_USAGE = 0, 1, 2
ROTATIONS = ("token", "admin", "mongo", "kafka", "web", "root", "all")

_COMMANDS = {
    "doctor": "look for what is missing or in the way",
    "build": "prepare what `up` needs, so that it starts at once",
    "up": "start everything; returns once a reading has flowed through to MongoDB",
    "status": "one row a service",
    "endpoints": "every address that a client needs",
    "logs": "the last lines of the log of some services, or of all",
    "scale": "change how many replicas a service has",
    "restart": "stop and start one service",
    "reset": "start the Spark job anew without its checkpoint",
    "rotate": "make new credentials and move the services over, without downtime",
    "history": "what became of a service's replicas",
    "down": "stop everything",
}


class _Parser(argparse.ArgumentParser):
    """Says what was wrong in one line, without the whole usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_USAGE, f"{self.prog}: {message}\nTry: {self.prog} --help\n")


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse; ends the process with EXIT_USAGE for arguments that make no sense."""
    # The options may stand before and after the command: those after it must not overwrite with their defaults.
    common = _common(argparse.SUPPRESS)
    parser = _Parser(
        prog="python -m stack", description="Brings the system up, looks at it, takes it down.", parents=[_common(None)]
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    made = {name: commands.add_parser(name, help=text, description=text, parents=[common]) for name, text in _COMMANDS.items()}
    # argparse tests the empty list against `choices` too.
    made["logs"].add_argument("services", type=_service, metavar="SERVICE", nargs="*", help="all without one")
    made["logs"].add_argument("-n", "--lines", type=_count, default=200, metavar="N", help="how many lines of each (200)")
    made["logs"].add_argument("-f", "--follow", action="store_true", help="go on with new lines until Ctrl+C")
    made["scale"].add_argument("service", choices=[*BY_NAME], metavar="SERVICE")
    made["scale"].add_argument("replicas", type=_count, metavar="N")
    made["restart"].add_argument("service", choices=[*BY_NAME], metavar="SERVICE")
    made["reset"].add_argument("service", choices=[*BY_NAME], metavar="SERVICE", nargs="?", default="spark-job")
    made["build"].add_argument(
        "--base",
        metavar="IMAGE",
        help="of a swarm: build the images on this one; `debootstrap` makes one from Debian's packages",
    )
    made["rotate"].add_argument("what", choices=ROTATIONS, metavar="WHAT", nargs="?", default="all", help="|".join(ROTATIONS))
    made["history"].add_argument("service", metavar="SERVICE")
    made["down"].add_argument("--purge", action="store_true", help="remove the data and credentials too; asks first")
    for name in ("up", "rotate", "down"):
        made[name].add_argument("--yes", action="store_true", help="agree to what is taken away, without being asked")
    return parser.parse_args(_with_joined_overlays(sys.argv[1:] if arguments is None else arguments))


def _with_joined_overlays(arguments: Sequence[str]) -> list[str]:
    """``--overlay -cluster`` as one word: argparse takes what begins with a dash for an option."""
    joined: list[str] = []
    for word in arguments:
        if joined and joined[-1] == "--overlay" and word.startswith("-") and not word.startswith("--"):
            joined[-1] = f"--overlay={word}"
        else:
            joined.append(word)
    return joined


def _common(default: str | None) -> _Parser:
    suppressed = default == argparse.SUPPRESS
    common = _Parser(add_help=False)
    group = common.add_argument_group("which system")
    group.add_argument("--target", choices=KINDS, default=argparse.SUPPRESS if suppressed else "auto", help="where (auto)")
    group.add_argument(
        "--context",
        default=default,
        metavar="NAME",
        help="a Docker context; otherwise DOCKER_HOST, DOCKER_CONTEXT or the current one",
    )
    group.add_argument(
        "--overlay",
        action="append",
        default=default,
        metavar="NAME",
        dest="overlays",
        help="of a swarm: stack/overlays/NAME.yml too; -NAME takes a deployed one away, none all of them (with --yes)",
    )
    group.add_argument("--port-offset", type=_offset, default=default, metavar="N", help=f"shift every port; 0 to {MAX_OFFSET}")
    group.add_argument(
        "--data-dir",
        type=Path,
        default=default,
        metavar="DIR",
        help="where its data lie; of a swarm: where this user's copy of the credentials is",
    )
    group.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS if suppressed else False, help="output for programs"
    )
    return common


def _offset(text: str) -> int:
    number = _integer(text)
    if not 0 <= number <= MAX_OFFSET:
        raise argparse.ArgumentTypeError(f"{number} is outside 0 … {MAX_OFFSET}")
    return number


def _service(text: str) -> str:
    if text not in BY_NAME:
        raise argparse.ArgumentTypeError(f"invalid choice: {text!r} (choose from {', '.join(BY_NAME)})")
    return text


def _count(text: str) -> int:
    number = _integer(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{number} is negative")
    return number


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
