"""No client of ours reads what a transaction has not committed."""

from pathlib import Path

ROOT = Path(__file__).parents[3]
#: What a module contains that reads records: a consumer group of confluent-kafka, or Spark's source.
READERS = ('"group.id"', 'readStream.format("kafka")')


def test_every_reader_of_records_is_read_committed() -> None:
    modules = {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for part in ("backend", "desktop", "spark")
        for path in (ROOT / part).rglob("*.py")
    }
    readers = {name: text for name, text in modules.items() if any(sign in text for sign in READERS)}
    assert {"spark/query.py", "desktop/services/kafka_feed.py", "backend/operator/kafka_letters.py"} <= set(readers)
    # The operator looks behind markers with the configuration that it shares with the window.
    assert '"isolation.level": "read_committed"' in modules["backend/contract/backlog.py"]
    assert not {name for name, text in readers.items() if "read_committed" not in text and "FINDER_CONFIG" not in text}
    constructed = {name for name, text in modules.items() if "Consumer(" in text.replace("RecordConsumer(", "")}
    assert constructed <= set(readers), "a consumer whose isolation level is not checked here"
