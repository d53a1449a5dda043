"""Class archives: recorded where missing, used where there, kept only when written whole."""

import os
from pathlib import Path

import pytest

from stack.local import cds, jsonfile
from stack.local.layout import Layout
from stack.local.program import Program
from stack.local.rpc import ProcessInfo


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PAAI_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def archives(layout: Layout) -> cds.Archives:
    return cds.Archives.of(layout, java="17.0.15", jar_folders=())


def remember(layout: Layout, archives: cds.Archives) -> None:
    archives.begin()
    recording = {"recording": archives.missing(), "archives": str(archives.folder), "complete": True}
    jsonfile.write(layout.instance_file, recording)


def stopped(service: str, exit_code: int) -> ProcessInfo:
    return ProcessInfo(service, service, "STOPPED", exit_code=exit_code)


def test_the_first_run_records_the_second_uses(layout: Layout, archives: cds.Archives) -> None:
    broker = Program("broker", ("java", "-cp", "x", "kafka.Kafka"))
    assert archives.missing() == list(cds.SERVICES)
    first = archives.applied(broker, recording=archives.missing()).command
    assert first[1] == f"-XX:ArchiveClassesAtExit={layout.run}/cds/broker.jsa"
    remember(layout, archives)
    (layout.run / "cds" / "broker.jsa").write_text("classes")
    cds.keep(layout, [stopped("broker", 143)])
    assert "broker" not in archives.missing()
    second = archives.applied(broker, recording=archives.missing()).command
    assert second == (
        "java",
        f"-XX:SharedArchiveFile={archives.folder}/broker.jsa",
        "-Xlog:cds*=error",
        "-cp",
        "x",
        "kafka.Kafka",
    )


def test_the_prediction_job_uses_the_other_jobs_archive_and_records_none(layout: Layout, archives: cds.Archives) -> None:
    job = Program("spark-predict", ("java", "Main"))
    for recording in (archives.missing(), []):
        command = archives.applied(job, recording=recording).command
        assert command[1] == f"-XX:SharedArchiveFile={archives.folder}/spark-job.jsa"
    assert "spark-predict" not in archives.missing()


def test_a_killed_jvm_may_have_written_half_of_it(layout: Layout, archives: cds.Archives) -> None:
    remember(layout, archives)
    (layout.run / "cds" / "broker.jsa").write_text("clas")
    cds.keep(layout, [stopped("broker", -1)])
    assert "broker" in archives.missing()


def test_a_run_that_failed_half_way_is_not_kept(layout: Layout, archives: cds.Archives) -> None:
    remember(layout, archives)
    jsonfile.write(layout.instance_file, {**jsonfile.read(layout.instance_file), "complete": False})
    (layout.run / "cds" / "broker.jsa").write_text("classes")
    cds.keep(layout, [stopped("broker", 143)])
    assert "broker" in archives.missing()


def test_other_programs_are_left_alone(archives: cds.Archives) -> None:
    paai = Program("paai", ("python", "-m", "backend.paai"))
    assert archives.applied(paai, recording=archives.missing()) is paai


def test_another_java_has_its_own(layout: Layout, archives: cds.Archives) -> None:
    assert cds.Archives.of(layout, java="21.0.1", jar_folders=()).folder != archives.folder


def test_jars_installed_again_make_it_anew(layout: Layout, tmp_path: Path) -> None:
    """The JVM compares their times and would ignore the archive, silently and for ever."""
    jar = tmp_path / "a.jar"
    jar.write_text("x")
    before = cds.Archives.of(layout, java="17", jar_folders=[tmp_path]).folder
    assert cds.Archives.of(layout, java="17", jar_folders=[tmp_path]).folder == before
    os.utime(jar, (1, 1))
    assert cds.Archives.of(layout, java="17", jar_folders=[tmp_path]).folder != before


def test_old_combinations_go(layout: Layout) -> None:
    for version in ("17", "21", "23"):
        archives = cds.Archives.of(layout, java=version, jar_folders=())
        remember(layout, archives)
        (layout.run / "cds" / "broker.jsa").write_text("classes")
        cds.keep(layout, [stopped("broker", 143)])
    assert len(list(archives.folder.parent.iterdir())) == 2
