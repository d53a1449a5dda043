"""Headers as any client may write them. In a process of its own each time: what fails here is a segmentation fault."""

import subprocess
import sys

import pytest

#: Writes one record with librdkafka itself, since confluent-kafka takes names as text only, and reads it back.
_SCRIPT = """
import ctypes, sys
from confluent_kafka import Consumer, Producer, TopicPartition

NAMES = [bytes.fromhex(name) for name in sys.argv[2:]]
producer = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "unused", "log_level": 2})
broker = producer.list_topics(timeout=10).brokers[1]
address = f"{broker.host}:{broker.port}"

path = next(line.split()[-1] for line in open("/proc/self/maps") if "librdkafka" in line)
lib, pointer = ctypes.CDLL(path), ctypes.c_void_p
for name in ("rd_kafka_conf_new", "rd_kafka_new", "rd_kafka_headers_new"):
    getattr(lib, name).restype = pointer
conf = lib.rd_kafka_conf_new()
lib.rd_kafka_conf_set(pointer(conf), b"bootstrap.servers", address.encode(), None, ctypes.c_size_t(0))
client = lib.rd_kafka_new(0, pointer(conf), None, ctypes.c_size_t(0))
headers = lib.rd_kafka_headers_new(ctypes.c_size_t(8))
for name in NAMES:
    lib.rd_kafka_header_add(pointer(headers), name, ctypes.c_ssize_t(len(name)), b"v", ctypes.c_ssize_t(1))
topic, partition, value, key = 1, 3, 4, 5
lib.rd_kafka_producev(
    pointer(client), topic, ctypes.c_char_p(b"t"), partition, 0, value, ctypes.c_char_p(b"{}"), ctypes.c_size_t(2),
    10, pointer(headers), 0,
)
assert lib.rd_kafka_flush(pointer(client), 10_000) == 0

consumer = Consumer({"bootstrap.servers": address, "group.id": "g", "log_level": 2})
consumer.assign([TopicPartition("t", 0, 0)])
[message] = consumer.consume(1, timeout=10)
if sys.argv[1] == "contract":
    from backend.contract.headers import read_headers
    print([read_headers(message) for _ in range(3)][-1])
elif sys.argv[1] == "desktop":
    from desktop.services.dead_letters import read_letter
    print([read_letter(message) for _ in range(3)][-1].reason)
else:
    from backend.operator.kafka_letters import _letter
    print([_letter(message) for _ in range(3)][-1])
consumer.close()
"""


def run(reader: str, *names: bytes) -> str:
    ended = subprocess.run(
        [sys.executable, "-c", _SCRIPT, reader, *(name.hex() for name in names)], capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def test_names_that_are_utf_8_are_read() -> None:
    assert run("contract", b"plain", "ü".encode()) == "{'plain': b'v', 'ü': b'v'}"


@pytest.mark.parametrize("names", [(b"\xff\xfe",), (b"before", b"\xc3", b"after"), (b"\xff",) * 1_000], ids=len)
def test_a_name_that_is_not_utf_8_ends_no_reader(names: tuple[bytes, ...]) -> None:
    assert run("contract", *names) == "{}"


def test_a_dead_letter_with_such_a_name_has_no_reason_in_the_window() -> None:
    assert run("desktop", b"\xff", b"__connect.errors.topic") == "The dead letter names no reason."


def test_the_operator_counts_a_dead_letter_with_such_a_name() -> None:
    assert run("operator", b"\xff", b"__connect.errors.topic") == "Letter(partition=0, offset=0, message='', source=None)"
