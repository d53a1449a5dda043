"""supervisord's configuration, generated from the programs."""

import os
import shlex
import sys
from collections.abc import Iterable, Mapping

from stack.local.layout import MARKER, Layout
from stack.local.program import PROJECT_ROOT, Program

LOG_BYTES = 5 * 1024**2
LOG_BACKUPS = 3

#: Failed starts in a row, with pauses of 1, 2, 3 … s, before supervisord gives a program up: about four minutes.
START_RETRIES = 20

#: Our own helper among the programs; not a service.
LISTENER = "restart-counter"


def render(layout: Layout, programs: Iterable[Program]) -> str:
    """The text of `supervisord.conf`. Nothing starts by itself: `up` starts each program when its time has come."""
    user = ["user=root"] if os.geteuid() == 0 else []  # said on purpose, else supervisord warns
    sections = [
        [
            "[supervisord]",
            f"logfile={_text(layout.logs / 'supervisord.log')}",
            f"logfile_maxbytes={LOG_BYTES}",
            f"logfile_backups={LOG_BACKUPS}",
            f"pidfile={_text(layout.pid_file)}",
            f"childlogdir={_text(layout.logs)}",
            f"directory={_text(layout.work)}",
            "identifier=paai-monitor",
            "umask=077",
            "minfds=4096",
            *user,
        ],
        ["[unix_http_server]", f"file={_text(layout.socket)}", "chmod=0600"],
        [
            "[rpcinterface:supervisor]",
            "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
        ],
        [
            f"[eventlistener:{LISTENER}]",
            f"command={_command((sys.executable, '-m', 'stack.local.listener', str(layout.restarts_file)))}",
            "events=PROCESS_STATE_EXITED,PROCESS_STATE_BACKOFF",
            f"environment={_environment({'PYTHONPATH': str(PROJECT_ROOT)})}",
            "autostart=true",
            "autorestart=true",
            "priority=1",
            f"stderr_logfile={_text(layout.logs / 'restart-counter.log')}",
            "stderr_logfile_maxbytes=1000000",
            "stderr_logfile_backups=1",
            "stdout_logfile=none",
        ],
        *(_program(layout, program) for program in programs),
    ]
    return "\n".join("\n".join(section) + "\n" for section in sections)


def _program(layout: Layout, program: Program) -> list[str]:
    several = program.processes > 1
    number = "%(process_num)d"
    nice = ("nice", "-n", str(program.nice)) if program.nice else ()
    log = _text(layout.logs) + (f"/{program.service}-{number}.log" if several else f"/{program.service}.log")
    lines = [
        f"[{'program' if program.socket_port is None else 'fcgi-program'}:{program.service}]",
        f"command={_command((*nice, *program.behind, *program.command))}",
        f"directory={_text(layout.work)}",
        f"environment={_environment({'PYTHONPATH': str(PROJECT_ROOT), **program.environment})}",
        "autostart=false",
        f"autorestart={'unexpected' if program.final_exit_codes else 'true'}",
        f"startsecs={program.start_s}",
        f"startretries={START_RETRIES}",
        f"stopsignal={program.stop_signal}",
        f"stopwaitsecs={program.stop_wait_s}",
        f"stopasgroup={'true' if program.stop_group else 'false'}",
        "killasgroup=true",
        # Any other exit that nobody asked for is unexpected, 0 included: the listener counts it.
        f"exitcodes={','.join(map(str, program.final_exit_codes))}",
        "redirect_stderr=true",
        f"stdout_logfile={log}",
        f"stdout_logfile_maxbytes={LOG_BYTES}",
        f"stdout_logfile_backups={LOG_BACKUPS}",
    ]
    if several:
        lines += [f"numprocs={program.processes}", f"process_name={number}"]
    if program.socket_port is not None:
        # One listening socket for all of them: one that starts, stops or dies takes no connection with it.
        lines += [f"socket=tcp://127.0.0.1:{program.socket_port}", "socket_backlog=2048"]
    return lines


def process_name(program: str, replica: int, *, several: bool) -> str:
    """The name by which supervisord's interface knows a process."""
    return f"{program}:{replica if several else program}"


def daemon_environment(layout: Layout, inherited: Mapping[str, str]) -> dict[str, str]:
    """Environment of supervisord and of all it starts.

    Only what a program needs of the user's: a stray JAVA_TOOL_OPTIONS, SPARK_* or PAAI_* must not change a service.
    """
    kept = ("PATH", "HOME", "USER", "LOGNAME", "LD_LIBRARY_PATH", "XDG_RUNTIME_DIR")
    environment = {key: inherited[key] for key in kept if key in inherited}
    return {
        **environment,
        MARKER: str(layout.data_dir),
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
        # A JVM reads and writes the names of files in the locale's encoding: under C every ü becomes a question mark.
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        # Native libraries are unpacked there, and /tmp may be mounted noexec.
        "TMPDIR": str(layout.tmp),
    }


def _text(value: object) -> str:
    return str(value).replace("%", "%%")


def _command(arguments: Iterable[str]) -> str:
    return _text(shlex.join(arguments))


def _environment(values: Mapping[str, str]) -> str:
    """supervisord has no escapes inside the quotes; `Layout.of` has refused paths that would need them."""
    return ",".join(f'{key}="{_text(value)}"' for key, value in values.items())
