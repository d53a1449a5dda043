"""`up` of the local target, step by step."""

import queue
import threading
from collections.abc import Callable, Iterator

from backend.contract.ports import Ports
from stack import canary, catalogue
from stack.backlog import KafkaOffsets
from stack.board import StepBoard
from stack.errors import CancelledError, PreflightError, StackError, StepFailedError, system_error
from stack.jars.own_jar import prepare
from stack.local import cds, daemon, instance, intent, jsonfile, kafka, logs, model_key, supervisord
from stack.local.layout import Layout
from stack.local.probes import Prober
from stack.local.program import Program
from stack.local.services import all_programs
from stack.local.start import Starter
from stack.local.status import why_down
from stack.local.tools import find_tools
from stack.preflight import raise_first
from stack.target import FLOWING, Check, Step

PREPARE, JARS, SUPERVISOR, CANARY = "prepare", "jars", "supervisor", FLOWING


class Up:
    """One run of `up`. Holds nothing beyond it."""

    def __init__(
        self, layout: Layout, ports: Ports, *, preflight: Callable[[], list[Check]], cancel: threading.Event | None
    ) -> None:
        self._layout, self._ports, self._preflight = layout, ports, preflight
        self._cancel = cancel or threading.Event()
        self._board = StepBoard()
        self._first = [service for service in catalogue.SERVICES if not service.last]
        self._last = [service for service in catalogue.SERVICES if service.last]

    def run(self) -> Iterator[Step]:
        """All steps. A failure is yielded as a FAILED step, then raised."""
        board = self._board
        board.add(PREPARE, "Look for obstacles")
        board.add(JARS, "Kafka, Connect and Spark parts")
        board.add(SUPERVISOR, "Process supervisor")
        for service in self._first:
            board.add(service.name, service.title, service=service.name)
        board.add(CANARY, "First reading from paai to MongoDB")
        for service in self._last:
            board.add(service.name, service.title, service=service.name)
        try:
            yield from board.all()
            yield from self._steps()
        except (StackError, OSError, UnicodeError) as caught:
            error = caught if isinstance(caught, StackError) else system_error(caught)
            running = board.running()
            if isinstance(error, StepFailedError) and board.has(error.step):
                failed = error.step
            else:
                failed = running[0] if running else PREPARE
            yield board.failed(failed, str(error))
            raise error from error.__cause__

    def _steps(self) -> Iterator[Step]:
        yield from self._prepare()
        yield from self._resolve_jars()
        yield self._board.begin(SUPERVISOR, "Starts the process supervisor.")
        supervised = self._supervise()
        intent.remember_up(self._layout)
        yield self._board.done(SUPERVISOR, supervised)
        wanted = instance.wanted_replicas(self._layout)
        starter = Starter(
            daemon.connect(self._layout),
            Prober(self._layout, self._ports).probe,
            self._board,
            excerpt=lambda name: logs.excerpt(self._layout, name, scaled=catalogue.find(name).scalable),
            why_down=lambda service, process: why_down(self._layout, service, process),
            command=self._layout.command,
            obstacle=self._layout.full,
            cancel=self._cancel,
        )
        yield from starter.run(self._first, wanted)
        with KafkaOffsets(bootstrap=f"127.0.0.1:{self._ports.kafka}") as offsets:
            sent = canary.send(
                paai=f"http://127.0.0.1:{self._ports.paai}",
                mongo=f"mongodb://127.0.0.1:{self._ports.mongo}/",
                command=self._layout.command,
                offsets=offsets,
                cancel=self._cancel,
            )
            yield from self._board.follow(CANARY, sent)
        yield from starter.run(self._last, wanted)
        jsonfile.write(self._layout.instance_file, {**jsonfile.read(self._layout.instance_file), "complete": True})

    def _prepare(self) -> Iterator[Step]:
        yield self._board.begin(PREPARE, "Looks at Java, MongoDB, memory, disk and ports.")
        attached = daemon.is_running(self._layout)
        swept = "" if attached else daemon.clean_up(self._layout)
        raise_first(self._preflight())
        self._layout.create()
        before = jsonfile.read(self._layout.instance_file).get("port_offset")
        if attached and before != self._ports.offset:
            raise PreflightError(
                f"The system in {self._layout.data_dir} already runs with port offset {before}",
                why=f"Now {self._ports.offset} was asked for.",
                remedy="Take it down first, or choose another --data-dir.",
            )
        remembered = jsonfile.read(self._layout.instance_file)
        jsonfile.write(self._layout.instance_file, {**remembered, "port_offset": self._ports.offset})
        found = "Joins the system that runs already." if attached else "Nothing is in the way."
        yield self._board.done(PREPARE, f"{swept} {found}".strip())

    def _resolve_jars(self) -> Iterator[Step]:
        """Downloads in a thread, so that its progress can be yielded from here."""
        yield self._board.begin(JARS, "Looks for them in the cache.")
        news: queue.SimpleQueue[tuple[int, int, str] | None] = queue.SimpleQueue()
        failure: list[StackError] = []

        def work() -> None:
            try:
                prepare(on_progress=lambda done, total, text: news.put((done, total, text)), cancel=self._cancel)
            except StackError as error:
                failure.append(error)
            finally:
                news.put(None)

        thread = threading.Thread(target=work, name="jars", daemon=True)
        thread.start()
        last = ""
        # `prepare` bounds its own waits and ends within a second of `cancel`.
        while (item := news.get()) is not None:
            done, total, last = item
            if step := self._board.update(JARS, last, done / total if total else None):
                yield step
        thread.join()
        if failure:
            raise failure[0]
        yield self._board.done(JARS, last)

    def _supervise(self) -> str:
        """Write the configuration and start supervisord, or let a running one take it over."""
        if self._cancel.is_set():
            raise CancelledError("Stopped as you asked.", remedy="Run it again to go on.")
        layout, ports = self._layout, self._ports
        kafka.write_configuration(layout, ports)
        model_key.provide(layout.model_key)
        running = daemon.is_running(layout)
        text = supervisord.render(layout, self._programs(running=running))
        changed = not layout.supervisor_conf.exists() or layout.supervisor_conf.read_bytes() != text.encode()
        if changed:
            layout.supervisor_conf.write_text(text, "utf-8")
        if not running:
            daemon.start(layout)
            return "Started."
        if changed:
            daemon.connect(layout).reload()
            return "Running; took over a changed configuration."
        return "Running."

    def _programs(self, *, running: bool) -> list[Program]:
        """All programs. What a running system records or uses of class archives stays as it is: it is no reason to restart."""
        layout = self._layout
        tools = find_tools(layout, self._ports)
        archives = cds.Archives.of(
            layout,
            java=f"{tools.java_version} {tools.java}",
            jar_folders=(tools.pyspark_home / "jars", tools.kafka_jars, tools.spark_jars, tools.own_jar.parent),
        )
        remembered = jsonfile.read(layout.instance_file)
        if running:
            recording = list(jsonfile.strings(remembered.get("recording")))
        else:
            recording = archives.missing()
            archives.begin()
            jsonfile.write(
                layout.instance_file,
                {**remembered, "recording": recording, "archives": str(archives.folder), "complete": False},
            )
        return [archives.applied(program, recording=recording) for program in all_programs(layout, self._ports, tools)]
