"""Names of topics, collections, fields and services: the one place for each."""

from typing import Final

# Kafka
TOPIC_MESSAGES: Final = "processed_messages"
TOPIC_PREDICTIONS: Final = "predictions"
TOPIC_DEAD_LETTERS: Final = "dead_letters"
#: Records of no content: paai compares its clock with the broker's stamp of them. Nobody reads it.
TOPIC_CLOCK: Final = "clock_probes"
#: Records of no content from the aggregate job to itself: the open windows leave without waiting for the next reading.
TOPIC_HEARTBEATS: Final = "window_heartbeats"
MESSAGES_PARTITIONS: Final = 3
#: The desktop joins no group; its client library asks after one by this name all the same.
DESKTOP_GROUP: Final = "paai-monitor"

# MongoDB
DATABASE: Final = "paai"
COLLECTION_MESSAGES: Final = "processed_messages"
COLLECTION_AGGREGATES: Final = "aggregated_messages"
COLLECTION_PREDICTIONS: Final = "predictions"
COLLECTION_PROGRESS: Final = "job_progress"
#: Which events of odd readings somebody has seen to: `_id` of the event, `at`, `by`.
COLLECTION_ACKNOWLEDGEMENTS: Final = "anomaly_acknowledgements"
#: What was refused: one document each for `REFUSED_REQUESTS` (paai writes) and `REFUSED_RECORDS` (the operator writes).
COLLECTION_REFUSALS: Final = "refusals"
REFUSED_REQUESTS: Final = "requests"
REFUSED_RECORDS: Final = "records"
#: What was set aside of `REFUSED_REQUESTS`, the last time that an edit had damaged it.
REFUSED_REQUESTS_DAMAGED: Final = "requests (damaged)"
#: GridFS bucket of the models: the collections ``models.files`` and ``models.chunks``.
BUCKET_MODELS: Final = "models"
#: Which model is promoted, and the jobs that train.
COLLECTION_MODEL_STATE: Final = "model_state"

#: A reading's identity. The same three fields again with another value are a correction.
IDENTITY_FIELDS: Final = ("device_id", "sensor", "timestamp")

# Connect
SINK_CONNECTOR: Final = "mongodb-sink"
SINK_GROUP: Final = f"connect-{SINK_CONNECTOR}"  # Connect's own naming rule: "connect-" + connector name

# Spark
JOB_AGGREGATE: Final = "aggregate"  # `_id` in job_progress
JOB_PREDICT: Final = "predict"

#: Fleet device ids are `<prefix>-<five digits>`, counted from 1.
FLEET_ID_DIGITS: Final = 5
