"""Settings of the prediction job."""

from pathlib import Path

from pydantic import Field, SecretStr, model_validator

from backend.predictor.models.bundle import seal_key
from spark.settings import JobSettings


class PredictSettings(JobSettings):
    """As of the aggregates job, and:

    Attributes:
        model_key, model_key_file: What model files are sealed with; the predictor's.
        model_poll_s: How often to look for another promoted model.
    """

    trigger_s: float = Field(default=0.5, ge=0)
    spark_cores: int = Field(default=1, ge=1)
    max_offsets_per_trigger: int = Field(default=8000, ge=1)
    model_key: SecretStr | None = None
    model_key_file: Path | None = None
    model_poll_s: float = Field(default=3.0, gt=0, le=10)

    @model_validator(mode="after")
    def _check_key(self) -> "PredictSettings":
        _ = self.seal_key
        return self

    @property
    def seal_key(self) -> bytes:
        """Key of the model files."""
        if self.model_key_file is None:
            return seal_key(self.model_key.get_secret_value() if self.model_key is not None else "")
        try:
            return seal_key(self.model_key_file.read_text(encoding="utf-8"))
        except (OSError, UnicodeError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is no text"
            raise ValueError(f"PAAI_MODEL_KEY_FILE: {self.model_key_file} cannot be read: {reason}") from error
