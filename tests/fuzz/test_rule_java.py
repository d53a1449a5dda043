"""Generated and mutated records: the Java rule and the Python rule give the same verdict and the same reason."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.contract.records import judge
from tests.conformance import vectors
from tests.fuzz.profile import EXAMPLES, SEED
from tests.helpers.java_rule import JavaRule
from tests.helpers.record_strategies import ARRIVAL_MS, records

# The first run resolves and compiles; a long fuzz run takes as long as it is told to.
pytestmark = pytest.mark.timeout(0)

#: Records in one call of the JVM.
BATCH = 2_000
#: What the grammar and the fields are sensitive to.
TOKENS = (
    *(b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"/", b" ", b"\t", b"\n", b"\r", b"\x00", b"\x0b", b"\x1f", b"\x7f"),
    *(b"0", b"-", b"+", b".", b"e", b"E5", b"1e999", b"NaN", b"Infinity", b"-0", b"00", b"true", b"null", b"//", b"/**/"),
    *(b"\\u0061", b"\\ud800", b"\\udc00", b"\\ud83d\\ude00", b"\\uD83D", b"\\u00", b"\\x", b"\\n", b'"\\ud800":', b'"\\ud800"'),
    *(b"\xef\xbb\xbf", b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", b"\xf4\x90\x80\x80", b"\xc2\xa0"),
    *(b'"device_id":', b'"sensor":', b'"timestamp":', b'"value":', b'"value":1,', b'"d":{', b'"a":[', b"[" * 33, b'{"a":' * 33),
    *(
        b"Z",
        b"T24",
        b"-02-30",
        b":60",
        b"0000",
        b"9999",
        b"10000",
        b"1582",
        b'"humidity"',
        b"201",
        b"-91",
        b"100.0000000000001",
    ),
)


@pytest.fixture(scope="module")
def java_rule(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JavaRule]:
    with JavaRule(tmp_path_factory.mktemp("java")) as rule:
        yield rule


def mutated(rng: random.Random, value: bytes, others: list[bytes]) -> bytes:
    """`value` after one to four changes."""
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(value) + 1)
        end = min(len(value), at + rng.choice((0, 0, 1, 1, 2, 8, 40)))
        match rng.randrange(8):
            case 0:
                value = value[:at] + value[end:]
            case 1:
                value = value[:at] + rng.randbytes(rng.randint(1, 3)) + value[end:]
            case 2:
                value = value[:at] + value[at:end] * 2 + value[end:]
            case 3:
                other = rng.choice(others)
                begin = rng.randrange(len(other) + 1)
                value = value[:at] + other[begin : begin + rng.randint(1, 60)] + value[end:]
            case _:
                value = value[:at] + rng.choice(TOKENS) + value[end:]
    return value


@given(values=st.lists(records, min_size=1, max_size=50))
def test_both_rules_agree_on_generated_records(java_rule: JavaRule, values: list[bytes | None]) -> None:
    assert java_rule.judge([(value, ARRIVAL_MS) for value in values]) == [
        judge(value, arrival_ms=ARRIVAL_MS) for value in values
    ]


@pytest.mark.parametrize("round_", range(max(1, 20 * EXAMPLES // BATCH)))
def test_both_rules_agree_on_mutated_records(java_rule: JavaRule, round_: int) -> None:
    rng = random.Random(f"{SEED}/{round_}")
    known = [(vector.value, vector.arrival_ms) for vector in vectors.records() if vector.value]
    # The few long ones would take most of the time.
    short = [(value, arrival) for value, arrival in known if len(value) < 2_000]
    others = [value for value, _ in short]
    batch: list[tuple[bytes | None, int]] = []
    for _ in range(BATCH):
        value, arrival_ms = rng.choice(short)
        batch.append((mutated(rng, value, others), arrival_ms))
    batch += rng.sample(known, 50)
    different = [
        (value, arrival_ms, python, java)
        for (value, arrival_ms), java in zip(batch, java_rule.judge(batch), strict=True)
        if (python := judge(value, arrival_ms=arrival_ms)) != java
    ]
    assert not different, different[0]
