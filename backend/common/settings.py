"""Settings of a service from environment variables with the prefix ``PAAI_``, validated at the start."""

import hmac
import sys
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from backend.common.errors import ConfigurationError
from backend.contract.printable import on_one_line

PREFIX = "PAAI_"
#: Exit status for settings that cannot be used: supervisors tell it from a crash.
EXIT_BAD_SETTINGS = 2
#: The value of a variable with one of these in its name is not repeated in a message.
_SECRET_WORDS = ("TOKEN", "PASSWORD", "LOGIN", "URI")

S = TypeVar("S", bound="ServiceSettings")


class ServiceSettings(BaseSettings):
    """Settings that every service has. A service adds its own in a subclass and sets the default of `port` there.

    Attributes:
        host: Address to listen on.
        port: TCP port; 0 takes any free one.
        fd: An inherited listening socket, instead of host and port.
        token: Bearer tokens, one a line: the first is sent, all are accepted, so that a token can be changed without a pause.
            Absent = none is asked for. `token_file` holds the same in a file, which is read once.
        drain_s: How long to serve on, not ready, after SIGTERM.
        state_dir: Where the service keeps its small state.
        log_level: Threshold of the log.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)
    fd: int | None = Field(default=None, ge=0)
    token: SecretStr | None = None
    token_file: Path | None = None
    drain_s: float = Field(default=0.0, ge=0.0, le=600.0, allow_inf_nan=False)
    state_dir: Path | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @model_validator(mode="before")
    @classmethod
    def _read_token_file(cls, data: dict[str, object]) -> dict[str, object]:
        path = data.get("token_file")
        if not path:
            return data
        try:
            token = Path(str(path)).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise ValueError(f"{PREFIX}TOKEN_FILE: {path} cannot be read: {reason}") from error
        given = data.get("token")
        text = given.get_secret_value() if isinstance(given, SecretStr) else given
        if text and not hmac.compare_digest(str(text).encode(), token.encode()):
            raise ValueError(f"{PREFIX}TOKEN and {PREFIX}TOKEN_FILE are both set and differ; set one of them")
        return {**data, "token": token}

    @model_validator(mode="after")
    def _check_token(self) -> "ServiceSettings":
        if self.token is not None:
            if not self.tokens:
                raise ValueError("the token is empty")
            for token in self.tokens:
                if not token.isascii() or not token.decode().isprintable() or b" " in token:
                    raise ValueError("a token must be printable ASCII without spaces")
        return self

    @property
    def tokens(self) -> tuple[bytes, ...]:
        """The accepted tokens as they stand in a header; empty when none is asked for."""
        if self.token is None:
            return ()
        lines = map(str.strip, self.token.get_secret_value().splitlines())
        return tuple(line.encode() for line in lines if line)

    @property
    def sent_token(self) -> bytes | None:
        """The token to send as it stands in a header, or None."""
        return next(iter(self.tokens), None)


def read_settings(cls: type[S]) -> S:
    """Settings from the environment.

    Raises:
        ConfigurationError: names each variable that cannot be used, and why. Never contains the token.
    """
    try:
        return cls()
    except ValidationError as error:
        lines = []
        for item in error.errors(include_url=False, include_context=False):
            name = PREFIX + "_".join(str(part) for part in item["loc"]).upper() if item["loc"] else ""
            message = item["msg"].removeprefix("Value error, ")
            shown = "" if not name or any(word in name for word in _SECRET_WORDS) else f" (it is {str(item['input'])[:80]!r})"
            lines.append(f"{name}: {message}{shown}" if name else message)
        raise ConfigurationError(on_one_line("; ".join(lines))) from error


def load_settings(cls: type[S], *, service: str) -> S:
    """Settings from the environment; ends the process with status 2 and one readable line when they cannot be used."""
    try:
        return read_settings(cls)
    except ConfigurationError as error:
        sys.stderr.write(f"{service} cannot start with these settings. {error}\n")
        raise SystemExit(EXIT_BAD_SETTINGS) from None
