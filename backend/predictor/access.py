"""Who may change models: the tokens of the settings that say so, where there are any."""

from collections.abc import Callable

from fastapi import Request

from backend.common.auth import BearerToken
from backend.common.errors import ServiceError


class ForbiddenError(ServiceError):
    """403: a valid token that may not do this."""

    status = 403


def may_change(admin_tokens: tuple[bytes, ...]) -> Callable[[Request], None]:
    """A dependency that lets only these tokens pass; everybody where there are none."""
    guard = BearerToken(admin_tokens) if admin_tokens else None

    def check(request: Request) -> None:
        if guard is not None and not guard.allows(request.scope):
            raise ForbiddenError("This token may ask for predictions, and not train, promote or delete models.")

    return check
