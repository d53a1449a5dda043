"""The desktop's Kafka feed against bare consume + msgspec on the same topic, and the window that draws meanwhile."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import msgspec
from confluent_kafka import Producer

from backend.contract.devices import DEVICE_TYPES
from backend.contract.names import TOPIC_MESSAGES
from backend.contract.times import to_iso
from tests.benchmarks.ingest import spread
from tests.benchmarks.pairs import measure_pairs
from tests.benchmarks.report import Row, thousands
from tests.benchmarks.servers import SERVER_CORE
from tests.benchmarks.system import BenchSystem

_DEVICES, _SECONDS, _PAIRS = 10_000, 600, 3
_ROOT = Path(__file__).parents[2]

_OURS = """
import sys, threading, time
from desktop.model.store import LiveStore
from desktop.services.decode import decode_messages
from desktop.services.kafka_feed import KafkaFeed, KafkaLogin
store, stop, wanted = LiveStore(), threading.Event(), int(sys.argv[2])
feed = KafkaFeed(login=KafkaLogin(sys.argv[1]), sink=store, decode=decode_messages, span_s=7200, max_backfill=wanted)
thread = threading.Thread(target=feed.run, args=(stop,))
begun = time.perf_counter()
thread.start()
while store.stats().received < wanted * 0.98 and time.perf_counter() < begun + 120:
    time.sleep(0.01)
print(store.stats().received / (time.perf_counter() - begun))
stop.set()
thread.join(10)
"""

_BARE = """
import sys, time, uuid
import msgspec
from confluent_kafka import Consumer, TopicPartition
from backend.contract.messages import DeviceMessage
decoder, wanted = msgspec.json.Decoder(DeviceMessage), int(sys.argv[2])
consumer = Consumer({
    "bootstrap.servers": sys.argv[1], "group.id": str(uuid.uuid4()), "enable.auto.commit": False,
    # As the feed has them: with the defaults, a full queue makes the client pause for a second.
    "fetch.wait.max.ms": 50, "queued.max.messages.kbytes": 32768, "fetch.queue.backoff.ms": 20,
})
topic = consumer.list_topics("processed_messages", timeout=10).topics["processed_messages"]
begun = time.perf_counter()
ranges = [(p, *consumer.get_watermark_offsets(TopicPartition("processed_messages", p), timeout=10)) for p in topic.partitions]
total = sum(high - low for _, low, high in ranges)
starts = [(p, max(low, high - wanted * (high - low) // total)) for p, low, high in ranges]
consumer.assign([TopicPartition("processed_messages", p, start) for p, start in starts])
n = 0
while n < wanted * 0.999 and time.perf_counter() < begun + 120:
    for message in consumer.consume(num_messages=5000, timeout=1):
        decoder.decode(message.value())
        n += 1
print(n / (time.perf_counter() - begun))
consumer.close()
"""


def run(system: BenchSystem) -> list[Row]:
    """Fill the topic with ten minutes of 10 000 devices, then read and draw it."""
    with system.only_broker():
        fill(system.kafka, devices=_DEVICES, seconds=_SECONDS)
        return [_feed(system), _window(system)]


def fill(kafka: str, *, devices: int, seconds: int) -> int:
    """Put readings of the last `seconds` into the topic, one a device and second; returns how many."""
    producer = Producer({"bootstrap.servers": kafka, "linger.ms": 50, "compression.type": "snappy", "acks": "1"})
    first = int(time.time()) - seconds
    encoder = msgspec.json.Encoder()
    ids = [f"{DEVICE_TYPES[d % 4].id_prefix}-{d // 4 + 1:05d}" for d in range(devices)]
    sensors = [DEVICE_TYPES[d % 4].sensor for d in range(devices)]
    for second in range(seconds):
        times = [to_iso((first + second) * 1000 + ms) for ms in range(1000)]
        for d in range(devices):
            value = encoder.encode(
                {"device_id": ids[d], "timestamp": times[d % 1000], "sensor": sensors[d], "value": 50 + d % 20 + second % 7}
            )
            while True:
                try:
                    producer.produce(TOPIC_MESSAGES, value, ids[d])
                    break
                except BufferError:
                    producer.poll(0.1)
        producer.poll(0)
    producer.flush(60)
    return devices * seconds


def _measure(script: str, kafka: str, records: int) -> float:
    command = ["taskset", "-c", str(SERVER_CORE), sys.executable, "-c", script, kafka, str(records)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=200, cwd=_ROOT)
    return float(done.stdout)


def _feed(system: BenchSystem) -> Row:
    records = 1_000_000
    ratio = measure_pairs(
        lambda: _measure(_OURS, system.kafka, records), lambda: _measure(_BARE, system.kafka, records), pairs=_PAIRS
    )
    return Row(
        "desktop feed into its store ÷ bare consume + msgspec, same topic",
        f"{thousands(ratio.ours)} records/s",
        f"{thousands(ratio.reference)} records/s",
        spread(ratio),
        "≥ 0.5",
        (f"{records:,} records of {_DEVICES:,} devices, each side on one core.",),
    )


def _window(system: BenchSystem) -> Row:
    command = [sys.executable, "-m", "tests.benchmarks.window", system.kafka, str(system.target.data_dir), str(_DEVICES)]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=400, cwd=_ROOT, env=environment)
    found = json.loads(done.stdout.splitlines()[-1])
    return Row(
        "window at 1280×800 offscreen while 10 000 devices report at 1 Hz",
        f"{found['frames_per_s']:.1f} frames/s",
        "30 Hz timer",
        "",
        "≥ 30 frames/s, < 500 MB",
        (
            f"Memory {found['rss_mb']:.0f} MB with {_SECONDS // 60} minutes of that behind it.",
            f"{found['readings_per_s']:.0f} readings/s came in live.",
            f"The GUI's event loop was away {found['gap_p99_ms']:.0f} ms (p99), {found['gap_max_ms']:.0f} ms at most.",
        ),
    )
