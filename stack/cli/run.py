"""What each command of `python -m stack` does."""

import argparse
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol, runtime_checkable

from stack.choose import target_of
from stack.cli.arguments import EXIT_FAILED, EXIT_OK, EXIT_USAGE
from stack.cli.logs import formatted, lines_of
from stack.cli.show import JsonOutput, Output, TextOutput
from stack.errors import ConsentError, PreflightError, StackError, UnknownServiceError, system_error
from stack.local.target import LocalTarget
from stack.target import Endpoints, Step, Target

_NO_IMAGES = "Images for the Swarm stack are built where Docker's engine is in swarm mode (`docker swarm init`)."


@runtime_checkable
class CanReset(Protocol):
    """A target with the command `reset`."""

    def reset(self, service: str) -> Iterator[Step]: ...


@runtime_checkable
class CanRotate(Protocol):
    """A target with credentials."""

    def rotate(self, what: str) -> Iterator[Step]: ...


@runtime_checkable
class CanBuild(Protocol):
    """A target with images."""

    def build(self, *, base: str | None = None, cancel: threading.Event | None = None) -> Iterator[Step]: ...


def run(options: argparse.Namespace) -> int:
    """Carry out the command. The exit code: 0 done, 1 failed, 2 something must be put right first."""
    output: Output = JsonOutput() if options.json else TextOutput()
    try:
        try:
            return _attempt(options, output, consent=getattr(options, "yes", False))
        except ConsentError as error:
            if not _agrees(error):
                raise
            return _attempt(options, output, consent=True)
    except (PreflightError, UnknownServiceError) as error:
        output.error(str(error))
        return EXIT_USAGE
    except StackError as error:
        output.error(str(error))
        return EXIT_FAILED
    except BrokenPipeError:
        # The reader (head, less) has gone; keep Python from complaining when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except (OSError, UnicodeError) as error:
        output.error(str(system_error(error)))
        return EXIT_FAILED
    except KeyboardInterrupt:
        output.error("Stopped as you asked. Run the command again to go on, or `python -m stack down` to take it down.")
        return EXIT_FAILED


def _attempt(options: argparse.Namespace, output: Output, *, consent: bool) -> int:
    return _dispatch(options, target_of(options, consent=consent), output)


def _dispatch(options: argparse.Namespace, target: Target, output: Output) -> int:
    match options.command:
        case "doctor":
            checks = target.preflight()
            output.checks(checks)
            return EXIT_OK if all(check.ok for check in checks) else EXIT_USAGE
        case "build":
            with _cancel_on_interrupt() as cancel:
                output.steps(_build(options, target, output, cancel))
        case "up":
            output.plan(target.plan())
            with _cancel_on_interrupt() as cancel:
                output.steps(target.up(cancel=cancel))
            if not options.json:
                output.endpoints(_without_passwords(target.endpoints()))
        case "status":
            output.status(target.status())
        case "endpoints":
            output.endpoints(target.endpoints())
        case "logs":
            _logs(options, target)
        case "scale":
            output.steps(target.scale(options.service, options.replicas))
        case "restart":
            output.steps(target.restart(options.service))
        case "reset":
            if not isinstance(target, CanReset):
                raise _no_such(target)
            output.steps(target.reset(options.service))
        case "rotate":
            if not isinstance(target, CanRotate):
                raise _no_such(target)
            output.steps(target.rotate(options.what))
        case "history":
            output.history(target.history(options.service))
        case "down":
            if options.purge and not options.yes and not _may_purge(target):
                output.error("Nothing was stopped or removed.")
                return EXIT_FAILED
            output.steps(target.down(purge=options.purge))
    return EXIT_OK


def _without_passwords(endpoints: Endpoints) -> Endpoints:
    """What may stand in the log of whoever deploys; `endpoints` shows all."""
    scheme, _, rest = endpoints.mongo.partition("://")
    return replace(
        endpoints,
        mongo=f"{scheme}://{rest.rpartition('@')[2]}",
        admin_token="",
        token=None,
        kafka_user=None,
        kafka_password=None,
        web_user=None,
        web_password=None,
    )


def _no_such(target: Target) -> UnknownServiceError:
    other = "--target swarm" if target.name == "local" else "--target local"
    return UnknownServiceError(f"The target {target.name} has no such command.", remedy=f"With {other} there is.")


def _build(options: argparse.Namespace, target: Target, output: Output, cancel: threading.Event) -> Iterator[Step]:
    if isinstance(target, CanBuild):
        return target.build(base=options.base, cancel=cancel)
    if options.base:
        raise PreflightError(
            "--base is for images, which the local target has none of.", remedy="Leave it out, or add --target swarm."
        )
    plan = target.plan()
    output.plan(replace(plan, reason=f"{plan.reason} {_NO_IMAGES}", items=()))
    from stack.local.build import build  # what it imports is needed by no other command

    return build(cancel=cancel)


def _logs(options: argparse.Namespace, target: Target) -> None:
    services = options.services or [row.service for row in target.status()]
    stop = threading.Event() if options.follow else None
    try:
        for line in lines_of(target, services, lines=options.lines, follow=stop):
            print(formatted(line, services, as_json=options.json), flush=True)  # noqa: T201
    except BrokenPipeError:
        # The reader (head, less) has gone; keep Python from complaining when it flushes at exit.
        sys.stderr.close()
    except KeyboardInterrupt:
        if stop is None:
            raise


def _agrees(error: ConsentError) -> bool:
    """Ask in a terminal. Without one there is nobody to ask: no."""
    if not sys.stdin.isatty():
        return False
    print(f"{error.what}. {error.why}")  # noqa: T201
    return _says_yes("Type yes to go on: ")


def _may_purge(target: Target) -> bool:
    """Name what goes and ask. Without a terminal there is nobody to ask: no."""
    print(_what_goes(target))  # noqa: T201
    if not sys.stdin.isatty():
        print("Add --yes to remove them without being asked.")  # noqa: T201
        return False
    return _says_yes("Type yes to remove them: ")


def _says_yes(question: str) -> bool:
    try:
        return input(question).strip().lower() == "yes"
    except EOFError:  # Ctrl+D
        return False


def _what_goes(target: Target) -> str:
    if not isinstance(target, LocalTarget):
        return f"All data of {target.plan().where} on this node and all its credentials will be removed."
    folder = target.data_dir
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) if folder.exists() else 0
    return f"All data in {folder} will be removed ({size / 1024**2:.0f} MiB): readings, aggregates, topics, logs."


@contextlib.contextmanager
def _cancel_on_interrupt() -> Iterator[threading.Event]:
    """Ctrl+C and a polite kill end `up` between two waits, in order."""
    cancel = threading.Event()
    before = {number: signal.signal(number, lambda *_: cancel.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield cancel
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
