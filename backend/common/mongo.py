"""What a service that reaches MongoDB reads from the environment."""

from pathlib import Path

from pydantic import Field, model_validator

from backend.common.settings import PREFIX, ServiceSettings
from backend.contract import ports
from backend.contract.login import with_login_file


class MongoSettings(ServiceSettings):
    """Settings of a service that reaches MongoDB; a service adds its own in a subclass.

    Attributes:
        mongo_uri: MongoDB; may hold a login.
        mongo_login_file: A login file (see `backend.contract.login`), instead of a login in the address.
    """

    mongo_uri: str = Field(default=f"mongodb://127.0.0.1:{ports.MONGO}/", repr=False)
    mongo_login_file: Path | None = None

    @model_validator(mode="after")
    def _check_mongo(self) -> "MongoSettings":
        try:
            _ = self.mongo_address
        except ValueError as error:
            raise ValueError(f"{PREFIX}MONGO_LOGIN_FILE: {error}") from None
        return self

    @property
    def mongo_address(self) -> str:
        """The address with the login in it: not for logs."""
        return with_login_file(self.mongo_uri, self.mongo_login_file)
