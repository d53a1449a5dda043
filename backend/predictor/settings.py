"""Settings of the predictor."""

from pathlib import Path

from pydantic import Field, SecretStr, model_validator

from backend.common.mongo import MongoSettings
from backend.contract import ports
from backend.predictor.models.bundle import seal_key


class PredictorSettings(MongoSettings):
    """What the predictor reads from the environment.

    Attributes:
        admin_token: Bearer tokens, one a line, that may train, promote and delete; `admin_token_file` holds the same in a file.
            Absent: whoever may ask for predictions may do that too.
        model_key, model_key_file: Secret that model files are sealed with; whoever scores needs the same. Absent: files are
            checked for damage only.
        poll_s: How often to look for another promoted model.
        mongo_timeout_s: How long MongoDB may take to be found.
    """

    port: int = Field(default=ports.PREDICTOR, ge=0, le=65535)
    admin_token: SecretStr | None = None
    admin_token_file: Path | None = None
    model_key: SecretStr | None = None
    model_key_file: Path | None = None
    poll_s: float = Field(default=2.0, ge=0.1, le=60)
    mongo_timeout_s: float = Field(default=2.0, ge=0.1, le=60)

    @model_validator(mode="after")
    def _check_files(self) -> "PredictorSettings":
        _ = self.admin_tokens, self.seal_key
        return self

    @property
    def admin_tokens(self) -> tuple[bytes, ...]:
        """Tokens that may change models; empty when there is no difference."""
        text = _secret(self.admin_token, self.admin_token_file, "PAAI_ADMIN_TOKEN_FILE")
        return tuple(line.strip().encode() for line in text.splitlines() if line.strip())

    @property
    def seal_key(self) -> bytes:
        """Key of the model files."""
        return seal_key(_secret(self.model_key, self.model_key_file, "PAAI_MODEL_KEY_FILE"))


def _secret(value: SecretStr | None, path: Path | None, name: str) -> str:
    if path is None:
        return value.get_secret_value() if value is not None else ""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is no text"
        raise ValueError(f"{name}: {path} cannot be read: {reason}") from error
