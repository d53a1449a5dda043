"""What the job says of an error."""

import pytest

from spark.failure import is_checkpoint_damage, reason


class SparkLikeError(Exception):
    def __init__(self, text: str, trace: str) -> None:
        super().__init__(text)
        self._stackTrace = trace  # as pyspark's exceptions call it


def test_the_innermost_cause_is_said() -> None:
    trace = (
        "org.apache.spark.SparkException: Writing job failed.\n\tat org.apache.spark.X.y(X.scala:1)\n"
        "Caused by: org.apache.spark.SparkException: Job aborted\n\tat z\n"
        "Caused by: com.mongodb.MongoSecurityException: Exception authenticating\n\t... 61 more\n"
    )
    error = SparkLikeError("[STREAM_FAILED] Query terminated with exception: Writing job failed.\n=== Plan ===", trace)
    assert reason(error) == "com.mongodb.MongoSecurityException: Exception authenticating"


def test_without_a_cause_the_first_line_is_said() -> None:
    assert reason(SparkLikeError("\n one \n two", "one\n\tat x")) == "one"
    assert reason(ValueError("plain\nmore")) == "plain"
    assert reason(ValueError()) == "ValueError"
    assert len(reason(ValueError("x" * 1000))) == 300


@pytest.mark.parametrize(
    ("text", "damaged"),
    [
        ("Failed to read log file file:/c/commits/5. Incomplete log file in the offset commit log", True),
        ("[CANNOT_LOAD_STATE_STORE.UNCATEGORIZED] An error occurred during loading state.", True),
        ("com.mongodb.MongoTimeoutException: no server", False),
    ],
)
def test_damage_of_the_checkpoint_is_told_from_an_outage(text: str, damaged: bool) -> None:
    assert is_checkpoint_damage(SparkLikeError(f"[STREAM_FAILED] Query terminated with exception: {text}", "")) is damaged
