"""Log files are read across their rotation."""

import threading
from pathlib import Path

from stack.local import logs
from stack.local.layout import Layout


def write(path: Path, *lines: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)


def texts(layout: Layout, service: str, *, lines: int, scaled: bool = False) -> list[str]:
    return [line.text for line in logs.read(layout, service, scaled=scaled, lines=lines)]


def test_last_lines_oldest_first(layout: Layout) -> None:
    write(layout.log_file("broker"), *(f"line {n}" for n in range(1000)))
    assert texts(layout, "broker", lines=3) == ["line 997", "line 998", "line 999"]


def test_continues_into_rotated_files(layout: Layout) -> None:
    write(layout.logs / "broker.log.2", "a", "b")
    write(layout.logs / "broker.log.1", "c")
    write(layout.log_file("broker"), "d")
    assert texts(layout, "broker", lines=3) == ["b", "c", "d"]
    assert texts(layout, "broker", lines=100) == ["a", "b", "c", "d"]


def test_no_log_yet_and_no_lines(layout: Layout) -> None:
    assert texts(layout, "broker", lines=10) == []
    write(layout.log_file("broker"), "x")
    assert texts(layout, "broker", lines=0) == []


def test_a_huge_line_and_bad_bytes(layout: Layout) -> None:
    layout.log_file("broker").write_bytes(b"x" * 300_000 + b"\n\xff\xfe end\n")
    long, bad = texts(layout, "broker", lines=2)
    assert len(long) == logs.MAX_LINE
    assert bad.endswith(" end")


def test_replicas_are_merged_by_time(layout: Layout) -> None:
    write(layout.log_file("paai", 0), "2026-11-24T05:30:00.100Z a", "  its second line", "2026-11-24T05:30:00.300Z c")
    write(layout.log_file("paai", 10), "2026-11-24T05:30:00.200Z b")
    found = logs.read(layout, "paai", scaled=True, lines=10)
    assert [line.text[-1] for line in found] == ["a", "e", "b", "c"]
    assert [line.replica for line in found] == [0, 0, 10, 0]


def test_follow_survives_rotation_and_sees_new_replicas(layout: Layout) -> None:
    path = layout.log_file("paai", 0)
    write(path, "old")
    stop = threading.Event()
    lines = logs.follow(layout, "paai", scaled=True, stop=stop)
    seen: list[str] = []
    threading.Timer(0.1, write, (path, "one")).start()
    seen.append(next(lines).text)
    write(path, "two")
    path.rename(layout.logs / "paai-0.log.1")
    write(path, "three")
    seen += [next(lines).text, next(lines).text]
    write(layout.log_file("paai", 1), "four")
    seen.append(next(lines).text)
    stop.set()
    assert list(lines) == []
    assert seen == ["one", "two", "three", "four"]


def test_follow_waits_for_the_end_of_a_line(layout: Layout) -> None:
    path = layout.log_file("broker")
    path.touch()
    stop = threading.Event()
    lines = logs.follow(layout, "broker", scaled=False, stop=stop)

    def rest() -> None:
        with path.open("a") as file:
            file.write("lf\n")

    threading.Timer(0.1, lambda: path.write_text("ha")).start()
    threading.Timer(0.6, rest).start()
    assert next(lines).text == "half"
    stop.set()
