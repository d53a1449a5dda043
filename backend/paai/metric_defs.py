"""Every metric of paai."""

from typing import Final

from backend.common.metrics import MetricDef

ACCEPTED: Final = MetricDef("paai_readings_accepted_total", "counter", "Readings that Kafka acknowledged.")
REJECTED: Final = MetricDef(
    "paai_readings_rejected_total", "counter", "Readings that break the contract, by the field concerned.", ("field",)
)
REFUSED: Final = MetricDef(
    "paai_rejected_total",
    "counter",
    "Rejected requests and batch items, by field and reason: answers 400, 401, 408, 413, 415, 422, and bad items of a batch.",
    ("field", "reason"),
)
#: Not in `ALL`: the operator counts it, and every process of paai reports the same.
DEAD_LETTERS: Final = MetricDef(
    "paai_dead_letters_total",
    "counter",
    "Records of processed_messages that became dead letters, by reason code; the whole system's, not one process's.",
    ("reason",),
)
UNACKNOWLEDGED: Final = MetricDef(
    "paai_readings_unacknowledged_total",
    "counter",
    "Good readings answered 503, by reason: down, full, failed, clock.",
    ("reason",),
)
IN_FLIGHT: Final = MetricDef("paai_readings_in_flight", "gauge", "Readings sent to Kafka and not acknowledged yet.")
CLOCK_AHEAD: Final = MetricDef(
    "paai_clock_ahead_seconds",
    "gauge",
    "paai's clock minus the Kafka broker's, in seconds; 0 while they differ by less than an acknowledgement takes.",
    shared="livemostrecent",
)
ACK_SECONDS: Final = MetricDef(
    "paai_ack_seconds",
    "histogram",
    "Time from sending a request's readings to Kafka until all are acknowledged, in seconds.",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
QUERIES: Final = MetricDef(
    "paai_queries_total", "counter", "Questions about stored readings, by kind and outcome.", ("kind", "outcome")
)
QUERY_SECONDS: Final = MetricDef(
    "paai_query_seconds",
    "histogram",
    "Time to answer a question about stored readings, in seconds.",
    ("kind",),
    (0.005, 0.02, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30),
)
DAMAGED: Final = MetricDef(
    "paai_damaged_documents_total", "counter", "Stored documents left out of answers because a field is damaged."
)

ALL: Final = (ACCEPTED, REJECTED, REFUSED, UNACKNOWLEDGED, IN_FLIGHT, CLOCK_AHEAD, ACK_SECONDS, QUERIES, QUERY_SECONDS, DAMAGED)
#: Values of the label `field` of REJECTED; anything else counts as "body", so that clients cannot make series.
REJECTED_FIELDS: Final = ("tag", "device_id", "timestamp", "temperature", "pressure", "humidity", "heart_rate", "body")
