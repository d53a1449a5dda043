"""Finding a Java that fits."""

from pathlib import Path

import pytest

from stack.errors import JavaMissingError
from stack.java import JavaHome, find_java


def install(home: Path, version: str, *, release: bool = True, prints: str | None = None) -> Path:
    """A folder that looks like an installed Java of that version."""
    (home / "bin").mkdir(parents=True)
    java = home / "bin" / "java"
    says = prints or f'openjdk version "{version}"'
    java.write_text(f"#!/bin/sh\necho '{says}' >&2\n")
    java.chmod(0o755)
    if release:
        (home / "release").write_text(f'IMPLEMENTOR="x"\nJAVA_VERSION="{version}"\n')
    return home


@pytest.mark.parametrize(
    ("version", "major"), [("17.0.15", 17), ("21", 21), ("25-ea", 25), ("1.8.0_402", 8), ("9.0.1", 9), ("", 0), ("unknown", 0)]
)
def test_major_of_every_scheme(version: str, major: int) -> None:
    assert JavaHome(Path("/x"), version).major == major


def test_java_home_comes_first(tmp_path: Path) -> None:
    home = install(tmp_path / "own", "21.0.2")
    install(tmp_path / "jvm" / "a", "17.0.1")

    assert find_java(environ={"JAVA_HOME": str(home), "PATH": ""}, jvm_dir=tmp_path / "jvm") == JavaHome(home, "21.0.2")


def test_path_is_followed_through_its_links(tmp_path: Path) -> None:
    home = install(tmp_path / "jdk", "17.0.9")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").symlink_to(home / "bin" / "java")

    found = find_java(environ={"PATH": str(tmp_path / "bin")}, jvm_dir=tmp_path / "none")

    assert found == JavaHome(home, "17.0.9")
    assert found.executable == home / "bin" / "java"


def test_an_old_one_in_front_hides_no_fitting_one(tmp_path: Path) -> None:
    old = install(tmp_path / "old", "11.0.20")
    install(tmp_path / "jvm" / "java-17", "17.0.15")

    assert find_java(environ={"JAVA_HOME": str(old), "PATH": ""}, jvm_dir=tmp_path / "jvm").version == "17.0.15"


def test_one_that_is_too_new_is_the_last_resort(tmp_path: Path) -> None:
    new = install(tmp_path / "new", "25.0.1")
    environ = {"JAVA_HOME": str(new), "PATH": ""}
    assert find_java(environ=environ, jvm_dir=tmp_path / "jvm").version == "25.0.1"

    install(tmp_path / "jvm" / "java-17", "17.0.15")

    assert find_java(environ=environ, jvm_dir=tmp_path / "jvm").version == "17.0.15"


def test_without_a_release_file_the_program_is_asked(tmp_path: Path) -> None:
    home = install(tmp_path / "jdk", "18.0.2", release=False)

    assert find_java(environ={"JAVA_HOME": str(home), "PATH": ""}, jvm_dir=tmp_path / "none").version == "18.0.2"


def test_none_at_all_says_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(JavaMissingError) as caught:
        find_java(environ={"PATH": ""}, jvm_dir=tmp_path / "none")

    assert "apt-get install openjdk-17-jre-headless" in caught.value.remedy
    assert caught.value.found == ()


def test_only_old_ones_are_named(tmp_path: Path) -> None:
    old = install(tmp_path / "jvm" / "java-11", "11.0.20")

    with pytest.raises(JavaMissingError) as caught:
        find_java(environ={"PATH": ""}, jvm_dir=tmp_path / "jvm")

    assert caught.value.found == (f"11.0.20 in {old}",)


def test_one_that_does_not_run_is_passed_over(tmp_path: Path) -> None:
    broken = install(tmp_path / "broken", "17", release=False, prints="cannot execute")

    with pytest.raises(JavaMissingError):
        find_java(environ={"JAVA_HOME": str(broken), "PATH": ""}, jvm_dir=tmp_path / "none")
