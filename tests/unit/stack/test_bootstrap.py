"""The bootstrap script, with stand-ins for the system's programs: nothing is installed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.helpers.wait import wait_until

SCRIPT = Path(__file__).parents[3] / "stack" / "bootstrap.sh"
QT_PACKAGES = 15
#: What every Debian has and the script may call.
COREUTILS = ("bash", "cat", "cp", "chmod", "dirname", "env", "find", "flock", "mkdir", "rm", "sed", "sha256sum", "touch", "tr")

#: Behaves as the interpreter of the system and, copied, as that of an environment. Notes what it is asked for.
PYTHON = """\
#!/bin/bash
case "$*" in
  "--version") echo "Python 3.11.9" ;;
  "-c "*) exit 0 ;;
  "-m venv "*) echo "venv" >>"$CALLS"; mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
  "-m pip "*"config list") cat "$CALLS.settings" 2>/dev/null || true ;;
  "-m pip "*uv.txt) [[ ! -e $CALLS.no-uv ]] ;;
  "-m pip "*) echo "pip ${@: -1}" >>"$CALLS"; [[ ! -e $CALLS.fail ]] ;;
  "-m uv "*)
    echo "$*" >"$CALLS.uv"; env >>"$CALLS.uv"
    echo "uv ${@: -1}" >>"$CALLS"; [[ ! -e $CALLS.fail && ! -e $CALLS.uv-fails ]] ;;
esac
"""
#: "Installs" Java, the fonts, the libraries and Python by putting them where the script looks for them.
APT_GET = """\
#!/bin/bash
echo "apt-get $*" >>"$CALLS"
if [[ $* == *install* && ! -e $CALLS.fail ]]; then
  mkdir -p "$PAAI_SYSTEM_ROOT/usr/lib/jvm/java/bin" "$PAAI_SYSTEM_ROOT/usr/share/fonts"
  printf '#!/bin/bash\\n' >"$PAAI_SYSTEM_ROOT/usr/lib/jvm/java/bin/java"
  chmod +x "$PAAI_SYSTEM_ROOT/usr/lib/jvm/java/bin/java"
  echo 'JAVA_VERSION="17.0.15"' >"$PAAI_SYSTEM_ROOT/usr/lib/jvm/java/release"
  touch "$PAAI_SYSTEM_ROOT/usr/share/fonts/a.ttf" "$PAAI_SYSTEM_ROOT/libraries"
  cp "$TOOLS/python-to-be" "$TOOLS/python3"
fi
"""
LDCONFIG = """\
#!/bin/bash
[[ -e $PAAI_SYSTEM_ROOT/libraries ]] || exit 0
sed -n 's/^  lib/lib/; /^lib/p' "$SCRIPT" | tr ' ' '\\n' | sed 's/=.*/ (libc6,x86-64) => x/'
"""


class Machine:
    """A checkout and a system in a temporary folder.

    Attributes:
        checkout: Holds the script and two requirements files.
        tools: The whole PATH.
        calls: What was called, one line each.
        variables: Added to the environment of the script.
    """

    def __init__(self, root: Path) -> None:
        self.root, self.checkout, self.tools, self.system = root, root / "checkout", root / "tools", root / "system"
        for folder in (self.checkout / "stack", self.checkout / "requirements", self.tools, self.system, root / "home"):
            folder.mkdir(parents=True)
        for script in (SCRIPT, SCRIPT.with_name("packages.sh")):
            shutil.copy(script, self.checkout / "stack")
        for name in ("build", "uv", "run", "dev"):
            (self.checkout / "requirements" / f"{name}.txt").write_text(f"{name}==1\n")
        for name in COREUTILS:
            found = shutil.which(name)
            assert found is not None, name
            (self.tools / name).symlink_to(found)
        self.calls_file = root / "calls"
        self.variables: dict[str, str] = {}
        self.add("ldconfig", LDCONFIG)
        self.add("id", "#!/bin/bash\necho 0\n")

    def add(self, name: str, text: str) -> None:
        """Put a program on PATH in place of what may be there."""
        (self.tools / name).unlink(missing_ok=True)
        (self.tools / name).write_text(text)
        (self.tools / name).chmod(0o755)

    def complete(self) -> None:
        """Nothing lacks."""
        self.add("python-to-be", PYTHON)
        subprocess.run(["bash", "-c", APT_GET, "apt-get", "install"], env=self.environ(), check=True)
        self.calls_file.unlink()

    def environ(self) -> dict[str, str]:
        return {
            "PATH": str(self.tools),
            "HOME": str(self.root / "home"),
            "CALLS": str(self.calls_file),
            "TOOLS": str(self.tools),
            "SCRIPT": str(SCRIPT),
            "PAAI_SYSTEM_ROOT": str(self.system),
            **self.variables,
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        script = self.checkout / "stack" / "bootstrap.sh"
        return subprocess.run(
            [self.tools / "bash", script, *arguments],
            env=self.environ(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def calls(self) -> list[str]:
        """What was called since the last time that this was asked."""
        lines = self.calls_file.read_text().splitlines() if self.calls_file.exists() else []
        self.calls_file.unlink(missing_ok=True)
        return lines


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def ready_machine(machine: Machine) -> Machine:
    machine.complete()
    return machine


def test_a_bare_system_lacks_everything(machine: Machine) -> None:
    lacking = machine.run("--print").stdout.split()

    assert lacking[:3] == ["python3", "python3-venv", "openjdk-17-jre-headless"]
    assert lacking[-1] == "fonts-dejavu-core"
    assert len(lacking) == 4 + QT_PACKAGES
    assert machine.calls() == []


def test_a_complete_system_lacks_nothing(ready_machine: Machine) -> None:
    result = ready_machine.run("--print")

    assert (result.returncode, result.stdout) == (0, "")


def test_an_old_java_does_not_count(ready_machine: Machine) -> None:
    (ready_machine.system / "usr/lib/jvm/java/release").write_text('JAVA_VERSION="11.0.2"\n')

    assert ready_machine.run("--print").stdout.split() == ["openjdk-17-jre-headless"]


def test_java_on_path_counts(ready_machine: Machine) -> None:
    shutil.rmtree(ready_machine.system / "usr/lib/jvm")
    ready_machine.add("java", "#!/bin/bash\necho 'openjdk version \"21.0.2\" 2024-01-16' >&2\n")

    assert ready_machine.run("--print").stdout == ""


def test_root_installs_all_at_once_after_one_update(machine: Machine) -> None:
    machine.add("python-to-be", PYTHON)
    machine.add("apt-get", APT_GET)
    machine.add("apt-cache", "#!/bin/bash\necho 'Package: x'\n")

    result = machine.run("system")

    assert result.returncode == 0, result.stderr
    calls = machine.calls()
    assert [call.split()[-1] == "update" for call in calls] == [True, False]
    assert "install -y --no-install-recommends python3" in calls[1]
    assert calls[1].endswith("fonts-dejavu-core")


def test_a_release_whose_python_is_too_old_gets_a_newer_one_beside_it(machine: Machine) -> None:
    machine.add("python-to-be", PYTHON)
    machine.add("apt-get", APT_GET)
    has_3_11 = "[[ $* == *python3.11-venv ]] && echo 'Package: x'; [[ $* == 'policy python3' ]] && echo '  Candidate: 3.10.6-1'"
    machine.add("apt-cache", f"#!/bin/bash\n{has_3_11}\n")

    machine.run("system")

    assert "install -y --no-install-recommends python3.11 python3.11-venv" in machine.calls()[1]


def test_a_release_without_java_17_gets_a_newer_one(machine: Machine) -> None:
    machine.add("python-to-be", PYTHON)
    machine.add("apt-get", APT_GET)
    machine.add("apt-cache", "#!/bin/bash\n[[ $* == *-17-* ]] || echo 'Package: x'\n")

    machine.run("system")

    assert "openjdk-21-jre-headless" in machine.calls()[1]


def test_sudo_that_asks_nothing_is_used(machine: Machine) -> None:
    machine.add("id", "#!/bin/bash\necho 1000\n")
    machine.add("sudo", '#!/bin/bash\necho "sudo $*" >>"$CALLS"\n[[ $1 != -n ]] || shift\n[[ $1 == true ]] || exec "$@"\n')
    machine.add("true", "#!/bin/bash\n")
    machine.add("python-to-be", PYTHON)
    machine.add("apt-get", APT_GET)
    machine.add("apt-cache", "#!/bin/bash\necho 'Package: x'\n")

    result = machine.run("system")

    assert result.returncode == 0, result.stderr
    assert all(call.startswith(("sudo -n ", "apt-get ")) for call in machine.calls())


@pytest.mark.parametrize(
    ("sudo", "line"),
    [
        (
            "#!/bin/bash\nexit 1\n",
            "    sudo apt-get update && sudo apt-get install -y --no-install-recommends python3 python3-venv",
        ),
        (None, "    apt-get update && apt-get install -y --no-install-recommends python3 python3-venv"),
    ],
)
def test_without_rights_it_prints_the_line_to_type_and_stops(machine: Machine, sudo: str | None, line: str) -> None:
    machine.add("id", "#!/bin/bash\necho 1000\n")
    machine.add("apt-get", APT_GET)
    machine.add("apt-cache", "#!/bin/bash\necho 'Package: x'\n")
    if sudo:
        machine.add("sudo", sudo)

    result = machine.run("run")

    assert result.returncode == 3
    assert next(text for text in result.stderr.splitlines() if "apt-get update" in text).startswith(line)
    assert machine.calls() == []


def test_another_distribution_is_told_what_is_needed(machine: Machine) -> None:
    result = machine.run("run")

    assert result.returncode == 3
    for needed in ("Python 3.11 or newer with its venv module", "Java 17 or newer", "libxcb-cursor.so.0", "TrueType font"):
        assert needed in result.stderr


def test_an_installation_that_fails_says_so(machine: Machine) -> None:
    machine.add("apt-get", "#!/bin/bash\n[[ $* != *install* ]]\n")
    machine.add("apt-cache", "#!/bin/bash\necho 'Package: x'\n")

    result = machine.run("run")

    assert result.returncode == 4
    assert "apt-get could not install" in result.stderr


def test_the_environment_is_made_once(ready_machine: Machine) -> None:
    assert ready_machine.run("run").returncode == 0
    assert ready_machine.calls() == ["venv", "pip requirements/build.txt", "uv requirements/run.txt"]

    assert ready_machine.run("run").returncode == 0
    assert ready_machine.calls() == []


def test_dev_contains_run(ready_machine: Machine) -> None:
    ready_machine.run("dev")
    ready_machine.calls()

    ready_machine.run("run")

    assert ready_machine.calls() == []


def test_run_does_not_contain_dev_but_is_built_upon(ready_machine: Machine) -> None:
    ready_machine.run("run")
    ready_machine.calls()

    ready_machine.run("dev")

    assert ready_machine.calls() == ["pip requirements/build.txt", "uv requirements/dev.txt"]


def test_changed_requirements_are_installed(ready_machine: Machine) -> None:
    ready_machine.run("run")
    ready_machine.calls()
    (ready_machine.checkout / "requirements" / "run.txt").write_text("run==2\n")

    ready_machine.run("run")

    assert ready_machine.calls() == ["pip requirements/build.txt", "uv requirements/run.txt"]


def test_an_installation_that_was_broken_off_begins_anew(ready_machine: Machine) -> None:
    fails = Path(f"{ready_machine.calls_file}.fail")
    fails.touch()
    result = ready_machine.run("run")
    assert result.returncode == 4
    assert "Check the network" in result.stderr
    ready_machine.calls()
    fails.unlink()

    assert ready_machine.run("run").returncode == 0

    assert ready_machine.calls() == ["venv", "pip requirements/build.txt", "uv requirements/run.txt"]


@pytest.mark.parametrize("lacks", ["no-uv", "uv-fails"])
def test_pip_installs_where_uv_cannot(ready_machine: Machine, lacks: str) -> None:
    Path(f"{ready_machine.calls_file}.{lacks}").touch()

    result = ready_machine.run("run")

    assert result.returncode == 0, result.stderr
    assert ready_machine.calls()[-1] == "pip requirements/run.txt"
    assert "pip installs" in result.stderr


def test_uv_takes_the_settings_of_pip_and_none_of_its_own(ready_machine: Machine, tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    settings = (
        "global.index-url='file:///mirror'\n"
        ":env:.index-url='file:///nearer'\n"
        f"global.find-links='\\n{wheels}\\n/nowhere\\nfile:///more'\n"
        "global.extra-index-url='file:///a file:///b'\n"
        "install.trusted-host='nearer.example'\n"
        "global.cert='/etc/ca.pem'\nglobal.proxy='http://proxy.example:3128'\n:env:.default-timeout='180'\n"
    )
    Path(f"{ready_machine.calls_file}.settings").write_text(settings)
    ready_machine.variables = {"UV_NO_VERIFY_HASHES": "1", "UV_TARGET": "/elsewhere", "UV_CACHE_DIR": "/cache"}

    assert ready_machine.run("run").returncode == 0

    command, *environment = Path(f"{ready_machine.calls_file}.uv").read_text().splitlines()
    for option in (
        "--no-config",
        "--link-mode hardlink",
        "--default-index file:///nearer",
        "--index file:///a --index file:///b",
        f"--find-links {wheels} --find-links file:///more",
        "--allow-insecure-host nearer.example",
        "--cert /etc/ca.pem",
        "--require-hashes --no-build-isolation --only-binary :all: --no-binary pyspark",
    ):
        assert option in command
    assert "/nowhere" not in command
    assert "file:///mirror" not in command
    assert {"HTTPS_PROXY=http://proxy.example:3128", "UV_HTTP_TIMEOUT=180", "UV_CACHE_DIR=/cache"} <= set(environment)
    assert not [line for line in environment if line.startswith(("UV_NO_VERIFY_HASHES", "UV_TARGET"))]


def test_an_environment_whose_python_is_gone_is_made_anew(ready_machine: Machine) -> None:
    ready_machine.run("run")
    ready_machine.calls()
    (ready_machine.checkout / ".venv" / "bin" / "python").unlink()

    ready_machine.run("run")

    assert ready_machine.calls()[0] == "venv"


def test_a_checkout_that_was_moved_gets_a_new_environment(ready_machine: Machine) -> None:
    ready_machine.run("run")
    ready_machine.calls()
    ready_machine.checkout = ready_machine.checkout.rename(ready_machine.root / "elsewhere")

    ready_machine.run("run")

    assert ready_machine.calls()[0] == "venv"


def test_an_environment_of_somebody_else_is_left_alone(ready_machine: Machine) -> None:
    foreign = ready_machine.checkout / ".venv" / "bin" / "python"
    foreign.parent.mkdir(parents=True)
    shutil.copy(ready_machine.tools / "python3", foreign)

    result = ready_machine.run("run")

    assert result.returncode == 3
    assert "was not made by this script" in result.stderr
    assert foreign.exists()
    assert ready_machine.calls() == []


def test_one_whose_making_was_broken_off_is_made_anew(ready_machine: Machine) -> None:
    (ready_machine.checkout / ".venv").mkdir()
    (ready_machine.checkout / ".venv" / ".unfinished").touch()

    assert ready_machine.run("run").returncode == 0

    assert ready_machine.calls() == ["venv", "pip requirements/build.txt", "uv requirements/run.txt"]


def test_it_works_from_any_folder(ready_machine: Machine) -> None:
    script = ready_machine.checkout / "stack" / "bootstrap.sh"

    subprocess.run(
        [ready_machine.tools / "bash", script, "run"], env=ready_machine.environ(), cwd=os.sep, check=True, timeout=60
    )

    assert (ready_machine.checkout / ".venv" / ".ready-run").exists()


@pytest.mark.parametrize("arguments", [(), ("everything",)])
def test_a_wrong_call_shows_the_right_one(machine: Machine, arguments: tuple[str, ...]) -> None:
    result = machine.run(*arguments)

    assert result.returncode == 2
    assert "usage:" in result.stderr


@pytest.mark.parametrize(
    ("kind", "programs", "packages"),
    [("bench", ["wrk"], "wrk"), ("swarm", ["dockerd", "debootstrap", "ip"], "docker.io debootstrap iproute2")],
)
def test_what_only_some_commands_need_is_installed_for_them(
    ready_machine: Machine, kind: str, programs: list[str], packages: str
) -> None:
    assert ready_machine.run("run").returncode == 0
    assert not [call for call in ready_machine.calls() if call.startswith("apt-get")]
    apt = APT_GET + "".join(f'cp "$TOOLS/python3" "$TOOLS/{program}"\n' for program in programs)
    ready_machine.add("apt-get", apt)

    result = ready_machine.run(kind)

    assert result.returncode == 0, result.stderr
    calls = ready_machine.calls()
    assert any(call.endswith(f"install -y --no-install-recommends {packages}") for call in calls), calls
    assert "uv requirements/dev.txt" in calls


def test_who_waits_for_another_run_says_so(ready_machine: Machine) -> None:
    lock = ready_machine.checkout / ".setup-lock"
    with subprocess.Popen(["flock", str(lock), "sleep", "2"]) as other:
        is_held = ["flock", "-n", str(lock), "true"]
        wait_until(lambda: subprocess.run(is_held, check=False).returncode != 0, 10, "the other run to hold the lock")
        result = ready_machine.run("run")
        assert other.wait(10) == 0
    assert result.returncode == 0, result.stderr
    assert "waiting for it to end" in result.stderr


def test_an_interrupted_installation_is_no_failed_one(ready_machine: Machine) -> None:
    ready_machine.add("python-to-be", PYTHON.replace("[[ ! -e $CALLS.fail ]]", "kill -INT $PPID; sleep 0.1; false"))
    (ready_machine.tools / "python3").unlink()
    shutil.copy(ready_machine.tools / "python-to-be", ready_machine.tools / "python3")
    ready_machine.add("sleep", "#!/bin/bash\nread -rt 0.2 <> <(:) || true\n")
    ready_machine.add("kill", '#!/bin/bash\nbuiltin kill "$@"\n')
    result = ready_machine.run("run")
    assert result.returncode == 130, result.stderr
    assert "Stopped as you asked" in result.stderr
    assert "Check the network" not in result.stderr
