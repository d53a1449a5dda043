"""The lock of the JVM artifacts."""

from dataclasses import replace
from pathlib import Path

import pytest

from stack.errors import JarsError
from stack.jars import lockfile
from stack.jars.lockfile import Lock, LockedFile

A = LockedFile("kafka/a-1.jar", 3, "a" * 64)
B = LockedFile("spark/b-2.jar", 5, "b" * 64)


def test_the_committed_lock_belongs_to_the_committed_ivy_xml() -> None:
    lock = lockfile.read()

    names = [file.name for file in lock.files]
    assert names == sorted(names)
    assert len(names) == len(set(names)) > 100
    assert {name.split("/")[0] for name in names} == {"compiler", "kafka", "spark"}


def test_what_the_class_paths_cannot_do_without() -> None:
    names = {file.name for file in lockfile.read().files}

    for needed in (
        "kafka/kafka_2.13-3.9.2.jar",
        "kafka/zookeeper-3.8.4.jar",
        "kafka/connect-runtime-3.9.2.jar",
        "kafka/mongo-kafka-connect-2.0.1.jar",
        "spark/spark-sql-kafka-0-10_2.13-4.2.0.jar",
        "spark/mongo-spark-connector_2.13-10.5.0.jar",
    ):
        assert needed in names
    # Exactly one logger behind SLF4J, and the one that log4j.properties configures.
    assert [name for name in names if "slf4j-" in name and "slf4j-api" not in name] == ["kafka/slf4j-reload4j-2.0.13.jar"]
    # pyspark brings its own; a second one would shadow it.
    assert not [name for name in names if name.startswith("spark/") and ("slf4j" in name or "scala-library" in name)]


def test_render_and_parse_are_inverse() -> None:
    lock = Lock("c" * 64, (A, B))

    assert lockfile.parse(lockfile.render(lock)) == lock


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"# ivy.xml {'c' * 64}\n",
        f"{'a' * 64} 3 kafka/a.jar\n",
        f"# ivy.xml {'c' * 64}\n{'a' * 64} three kafka/a.jar\n",
        f"# ivy.xml {'c' * 64}\n{'a' * 63} 3 kafka/a.jar\n",
        "<<<<<<< ours\n",
    ],
)
def test_a_damaged_lock_says_how_to_make_it_anew(text: str) -> None:
    with pytest.raises(JarsError) as caught:
        lockfile.parse(text)

    assert "make lock-jars" in caught.value.remedy


def test_a_lock_of_another_ivy_xml_is_refused(tmp_path: Path) -> None:
    ivy_xml, lock_file = tmp_path / "ivy.xml", tmp_path / "jars.lock"
    ivy_xml.write_text("<ivy-module/>")
    lock = Lock(lockfile.sha256_of(ivy_xml), (A,))
    lock_file.write_text(lockfile.render(lock))
    assert lockfile.read(lock_file=lock_file, ivy_xml=ivy_xml) == lock

    ivy_xml.write_text("<ivy-module version='2.0'/>")

    with pytest.raises(JarsError, match="does not belong"):
        lockfile.read(lock_file=lock_file, ivy_xml=ivy_xml)


def test_a_missing_lock_is_named(tmp_path: Path) -> None:
    with pytest.raises(JarsError, match=r"gone\.lock cannot be read"):
        lockfile.read(lock_file=tmp_path / "gone.lock")


def test_each_set_of_files_has_its_own_key() -> None:
    keys = {Lock("c" * 64, files).key() for files in ((A,), (A, B), (replace(A, sha256="d" * 64),))}

    assert len(keys) == 3


def test_differences_name_what_is_missing_changed_or_too_much() -> None:
    changed = replace(A, sha256="f" * 64)

    assert lockfile.differences((A, B), (A, B)) == []
    assert lockfile.differences((A, B), (changed, LockedFile("kafka/x.jar", 1, "0" * 64))) == [
        "spark/b-2.jar is missing",
        "kafka/x.jar is not in the lock",
        "kafka/a-1.jar has other contents",
    ]


def test_complete_means_every_file_in_its_size(tmp_path: Path) -> None:
    (tmp_path / "kafka").mkdir()
    jar = tmp_path / A.name
    lock = Lock("c" * 64, (A,))
    assert not lockfile.is_complete(lock, tmp_path)

    jar.write_bytes(b"ab")
    assert not lockfile.is_complete(lock, tmp_path)

    jar.write_bytes(b"abc")
    assert lockfile.is_complete(lock, tmp_path)
