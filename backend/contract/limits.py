"""Limits and time constants that several parts must agree on."""

from typing import Final

MAX_BODY_BYTES: Final = 8 * 1024 * 1024
#: Levels of arrays and objects in a body.
MAX_JSON_DEPTH: Final = 100
MAX_BATCH_READINGS: Final = 10_000
MAX_DEVICE_ID_CHARS: Final = 128
#: Device ids of one query.
MAX_QUERY_DEVICES: Final = 10_000

#: A numeric timestamp above this is milliseconds by mistake (in seconds it would be the year 5138).
MAX_EPOCH_SECONDS: Final = 1e11

#: 1583-01-01T00:00:00Z in milliseconds since the epoch, the earliest time of a reading. There ISO 8601 begins; before it the
#: calendars of Connect (Java's: Julian up to 1582) and of all others differ by days.
FIRST_TIME_MS: Final = -12_212_553_600_000

#: 9999-12-31T23:59:59.999Z in milliseconds since the epoch, the last time with a year of four digits.
LAST_TIME_MS: Final = 253_402_300_799_999

#: How long a transaction may stay open at the broker, in seconds.
TRANSACTION_MAX_S: Final = 60
#: A partition whose last stable offset stands still before its end for longer than this is reported as held, in seconds.
HELD_AFTER_S: Final = 5.0

#: How far ahead of the server's clock a reading may be stamped.
MAX_FUTURE_S: Final = 1.0

#: How far a record's timestamp may be ahead of its arrival at the broker: what paai accepts, and 1 s for the time between.
MAX_RECORD_AHEAD_MS: Final = int(MAX_FUTURE_S * 1000) + 1000
MAX_RECORD_BYTES: Final = 65_536
#: Nested objects and arrays of a record, the outermost included.
MAX_RECORD_LEVELS: Final = 32

WINDOW_S: Final = 10
#: How long Spark waits for late readings. At least MAX_FUTURE_S + 2 s: one fast clock must not push the watermark past
#: everyone else's readings. Checked when the job starts.
WATERMARK_S: Final = 3

#: Kafka topics and raw readings; whichever limit is reached first.
RETENTION_HOURS: Final = 24
RETENTION_BYTES: Final = 5 * 1024**3
#: Aggregates are about a tenth of the raw data and worth keeping longer.
AGGREGATE_RETENTION_DAYS: Final = 30
#: Compression of every topic and producer of ours. The broker unpacks what producers packed otherwise and packs it again, so
#: that its limit on packed batches bounds unpacked ones too: snappy makes nothing smaller than about 1/21. One record of zstd
#: or gzip may unpack to 500 MiB, which ends a Spark executor each time it reads the record.
TOPIC_COMPRESSION: Final = "snappy"
