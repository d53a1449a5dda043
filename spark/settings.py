"""Settings of the Spark jobs, read once from the environment (prefix ``PAAI_``) and never changed."""

from pathlib import Path
from typing import Final

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from backend.contract import limits
from backend.contract.login import with_login_file
from backend.contract.printable import on_one_line

#: Exit code of a process whose settings cannot be used.
EXIT_BAD_SETTINGS: Final = 2


class JobSettings(BaseSettings):
    """Where things are, and how the windows are made.

    Attributes:
        kafka_bootstrap: Kafka's bootstrap servers.
        mongo_uri: MongoDB, as driver and executors reach it; may hold a login.
        mongo_login_file: A login file (see `backend.contract.login`), instead of a login in the address. Only the driver reads
            it; the executors get the address from there.
        checkpoint_dir: Durable directory shared by driver and executors.
        state_dir: Where the state file is written.
        log_level: Of the job's own log.
        window_s: Length of a window.
        watermark_s: How long a late reading is waited for. Part of the state: changing it takes effect at once.
        max_future_s: How far ahead of its publication a reading may be stamped; paai refuses more.
        future_tolerance_s: On top of that, for clocks that differ a little.
        trigger_s: Pause between the starts of two batches.
        min_offsets_per_trigger: Fewer new records than this wait for more …
        max_trigger_delay_s: … for this long at most, so that a small fleet costs few batches. Aggregates only.
        max_offsets_per_trigger: Records in one batch at most; bounds memory while it catches up.
        shuffle_partitions: Parallel tasks of a stage. Fixed by the first checkpoint.
        spark_cores: Cores that the job takes of a standalone cluster; without it, it takes all of them.
        executor_memory: As Spark writes it: ``1g``.
        state_store: "rocksdb" (state on disk) or "memory". Fixed by the first checkpoint.
        topic_wait_s: How long the topic may be missing at the start.
    """

    model_config = SettingsConfigDict(env_prefix="PAAI_", env_ignore_empty=True, frozen=True, extra="ignore")

    kafka_bootstrap: str = "127.0.0.1:9092"
    mongo_uri: str = Field(default="mongodb://127.0.0.1:27017/", repr=False)
    mongo_login_file: Path | None = None
    checkpoint_dir: Path
    state_dir: Path = Path()
    log_level: str = "INFO"
    window_s: int = Field(default=limits.WINDOW_S, ge=1)
    watermark_s: int = Field(default=limits.WATERMARK_S, ge=1)
    max_future_s: float = Field(default=limits.MAX_FUTURE_S, ge=0)
    future_tolerance_s: float = Field(default=1.0, ge=0)
    trigger_s: float = Field(default=0.8, ge=0)
    min_offsets_per_trigger: int = Field(default=400, ge=0)
    max_trigger_delay_s: float = Field(default=2.3, ge=0)
    max_offsets_per_trigger: int = Field(default=100_000, ge=1)
    shuffle_partitions: int = Field(default=2, ge=1)
    spark_cores: int = Field(default=2, ge=1)
    executor_memory: str = "1g"
    state_store: str = Field(default="memory", pattern="^(rocksdb|memory)$")
    topic_wait_s: float = Field(default=300.0, gt=0)

    @model_validator(mode="after")
    def _watermark_covers_fast_clocks(self) -> "JobSettings":
        if self.watermark_s < self.max_future_s + 2:
            raise ValueError(
                f"the watermark of {self.watermark_s} s is below max_future_s + 2 = {self.max_future_s + 2:g} s: one device"
                " whose clock runs ahead would make the readings of all others late"
            )
        return self

    @model_validator(mode="after")
    def _check_mongo(self) -> "JobSettings":
        try:
            _ = self.mongo_address
        except ValueError as error:
            raise ValueError(f"PAAI_MONGO_LOGIN_FILE: {error}") from None
        return self

    @property
    def mongo_address(self) -> str:
        """MongoDB's address with the login in it: not for logs."""
        return with_login_file(self.mongo_uri, self.mongo_login_file)


def reasons(error: ValidationError) -> str:
    """Which settings cannot be used and why, by the names of their variables."""
    found = (f"PAAI_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" if e["loc"] else e["msg"] for e in error.errors())
    return on_one_line("; ".join(found))
