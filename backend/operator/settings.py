"""Settings of the operator, read once from the environment (prefix ``PAAI_``) and never changed."""

from pydantic import Field

from backend.common.settings import ServiceSettings
from backend.contract import limits


class OperatorSettings(ServiceSettings):
    """Where things are and how patient the operator is.

    Attributes:
        kafka_bootstrap: Kafka's bootstrap servers.
        mongo_uri: MongoDB, as the operator reaches it.
        sink_mongo_uri: MongoDB, as Connect reaches it; empty = `mongo_uri`.
        connect_url: Base address of Connect's REST interface.
        replication_factor: Of topics that the operator creates.
        converge_interval_s: Pause between two steps until all is as wanted.
        steady_interval_s: Pause between two steps afterwards.
        call_timeout_s: Bound of one call to Kafka, MongoDB or Connect.
        sink_tasks: Tasks of the sink connector; more than the topic's partitions are useless.
        stuck_after_s: How long committed offsets may stand still while the topic grows before that is called stuck.
            Above Connect's ``offset.flush.interval.ms``.
        stuck_restart_after_s: When a stuck connector is restarted.
        retention_hours: Raw readings and topics.
        retention_bytes: Raw readings and topics, each.
        aggregate_retention_days: Windows.
        retention_interval_s: Pause between two looks for what is too old.
        retention_slice: Documents removed by one delete.
    """

    kafka_bootstrap: str = "127.0.0.1:9092"
    mongo_uri: str = "mongodb://127.0.0.1:27017/"
    sink_mongo_uri: str = ""
    connect_url: str = "http://127.0.0.1:8083"
    replication_factor: int = Field(default=1, ge=1)
    converge_interval_s: float = Field(default=0.5, gt=0)
    steady_interval_s: float = Field(default=5.0, gt=0)
    call_timeout_s: float = Field(default=5.0, gt=0)
    sink_tasks: int = Field(default=2, ge=1)
    stuck_after_s: float = Field(default=60.0, gt=0)
    stuck_restart_after_s: float = Field(default=120.0, gt=0)
    retention_hours: float = Field(default=limits.RETENTION_HOURS, gt=0)
    retention_bytes: int = Field(default=limits.RETENTION_BYTES, gt=0)
    aggregate_retention_days: float = Field(default=limits.AGGREGATE_RETENTION_DAYS, gt=0)
    retention_interval_s: float = Field(default=60.0, gt=0)
    retention_slice: int = Field(default=2000, ge=1)

    @property
    def uri_for_sink(self) -> str:
        """MongoDB's address as Connect reaches it."""
        return self.sink_mongo_uri or self.mongo_uri
