from backend.generator.faultlog import FaultLog


def fill(log: FaultLog, n: int) -> None:
    for i in range(n):
        log.add(f"d{i}", "temperature", "spike", i, i + 1, 8.0)


def test_numbers_go_on_and_the_oldest_are_forgotten() -> None:
    log = FaultLog(max_events=3)
    fill(log, 5)
    assert [e.n for e in log.after(0)] == [3, 4, 5]
    assert [e.n for e in log.after(4)] == [5]
    assert log.after(5) == []
    assert [e.n for e in log.after(0, limit=2)] == [3, 4]


def test_a_client_of_an_earlier_run_gets_everything() -> None:
    log = FaultLog()
    fill(log, 2)
    assert [e.n for e in log.after(900)] == [1, 2]
    assert log.clamp(900) == 2


def test_draining_keeps_the_numbering() -> None:
    log = FaultLog()
    fill(log, 2)
    assert [e.n for e in log.drain()] == [1, 2]
    fill(log, 1)
    assert [e.n for e in log.after(0)] == [3]


def test_the_wire_form_is_the_contract_s() -> None:
    log = FaultLog()
    log.add("1", "temperature", "spike", 1_680_033_862_000, 1_680_033_863_500, -8.0)
    assert log.after(0)[0].wire() == {
        "n": 1,
        "device_id": "1",
        "sensor": "temperature",
        "kind": "spike",
        "start": "2023-03-28T20:04:22.000Z",
        "end": "2023-03-28T20:04:23.500Z",
        "magnitude": -8.0,
    }
