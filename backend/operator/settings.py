"""Settings of the operator, read once from the environment (prefix ``PAAI_``) and never changed."""

from pathlib import Path

from pydantic import Field, model_validator

from backend.common.mongo import MongoSettings
from backend.common.settings import PREFIX
from backend.contract import limits
from backend.contract.login import Login, read_password, with_credentials, with_login

#: The user that the database's own image sets up.
ROOT = "root"


class OperatorSettings(MongoSettings):
    """Where things are and how patient the operator is.

    Attributes:
        kafka_bootstrap: Kafka's bootstrap servers.
        mongo_root_password_file: File with the password of MongoDB's user "root", instead of a login file: with credentials
            the operator must manage users.
        logins_dir: Directory of the login files that it makes users of: ``mongo_<role>``, ``kafka_client``, each with
            ``<name>_old`` beside it while it is changed. Absent = nobody wants credentials.
        sink_mongo_uri: MongoDB, as Connect reaches it; empty = `mongo_uri`. Without a login where `sink_login_file` is set.
        sink_login_file: Login file of the sink, its path as Connect sees it, who reads it by its FileConfigProvider.
        connect_url: Base address of Connect's REST interface.
        replication_factor: Of topics that the operator creates.
        converge_interval_s: Pause between two steps until all is as wanted.
        steady_interval_s: Pause between two steps afterwards.
        call_timeout_s: Bound of one call to Kafka, MongoDB or Connect.
        sink_tasks: Tasks of the sink connector, at most the topic's partitions. Only a single one knows which of two records
            with one identity arrived last where they are in different partitions.
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
    mongo_root_password_file: Path | None = None
    logins_dir: Path | None = None
    sink_mongo_uri: str = Field(default="", repr=False)
    sink_login_file: str = Field(default="", pattern=r"^(/[A-Za-z0-9._/-]+)?$")
    connect_url: str = "http://127.0.0.1:8083"
    replication_factor: int = Field(default=1, ge=1)
    converge_interval_s: float = Field(default=0.5, gt=0)
    steady_interval_s: float = Field(default=5.0, gt=0)
    call_timeout_s: float = Field(default=5.0, gt=0)
    sink_tasks: int = Field(default=1, ge=1)
    stuck_after_s: float = Field(default=60.0, gt=0)
    stuck_restart_after_s: float = Field(default=120.0, gt=0)
    retention_hours: float = Field(default=limits.RETENTION_HOURS, gt=0)
    retention_bytes: int = Field(default=limits.RETENTION_BYTES, gt=0)
    aggregate_retention_days: float = Field(default=limits.AGGREGATE_RETENTION_DAYS, gt=0)
    retention_interval_s: float = Field(default=60.0, gt=0)
    retention_slice: int = Field(default=2000, ge=1)

    @model_validator(mode="after")
    def _check_credentials(self) -> "OperatorSettings":
        if self.mongo_root_password_file is not None and self.mongo_login_file is not None:
            raise ValueError(f"{PREFIX}MONGO_ROOT_PASSWORD_FILE and {PREFIX}MONGO_LOGIN_FILE are both set; set one of them")
        try:
            _ = self.admin_address
        except ValueError as error:
            raise ValueError(f"{PREFIX}MONGO_ROOT_PASSWORD_FILE: {error}") from None
        try:
            _ = self.sink_address
        except ValueError as error:
            raise ValueError(f"{PREFIX}SINK_LOGIN_FILE: {error}") from None
        return self

    @property
    def admin_address(self) -> str:
        """MongoDB's address as the operator logs in there: not for logs."""
        if self.mongo_root_password_file is None:
            return self.mongo_address
        return with_login(self.mongo_uri, Login(ROOT, read_password(self.mongo_root_password_file)))

    def former_admin_address(self, path: Path) -> str:
        """The same with the password in another file.

        Raises:
            ValueError: it cannot be read.
        """
        return with_login(self.mongo_uri, Login(ROOT, read_password(path)))

    @property
    def sink_address(self) -> str:
        """MongoDB's address as Connect reaches it; Connect fills in the login, so that its REST interface does not tell it."""
        address = self.sink_mongo_uri or self.mongo_uri
        if not self.sink_login_file:
            return address
        user, password = (f"${{file:{self.sink_login_file}:{key}}}" for key in ("user", "password"))
        return with_credentials(address, user=user, password=password)
