"""Whether the process serves, and whether it also reaches what it needs."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final

#: A check says "" when all is well, else what is wrong in one sentence.
Check = Callable[[], Awaitable[str]]

CHECK_TIMEOUT_S: Final = 3.0


class Health:
    """State behind ``/healthz`` and ``/readyz``.

    Attributes:
        draining: True from SIGTERM on.
    """

    def __init__(self, checks: Mapping[str, Check] = MappingProxyType({}), *, timeout_s: float = CHECK_TIMEOUT_S) -> None:
        self._checks, self._timeout_s = dict(checks), timeout_s
        self.draining = False

    def add(self, name: str, check: Check) -> None:
        """Add one readiness check."""
        self._checks[name] = check

    async def reasons(self) -> dict[str, str]:
        """What keeps the service from being ready, by name; empty when it is. Takes at most the time limit."""
        if self.draining:
            return {"service": "It is shutting down."}
        answers = await asyncio.gather(*(self._ask(name) for name in self._checks))
        return {name: answer for name, answer in zip(self._checks, answers, strict=True) if answer}

    async def _ask(self, name: str) -> str:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._checks[name]()
        except TimeoutError:
            return f"No answer within {self._timeout_s:g} s."
        except Exception as error:  # noqa: BLE001 - a failing check is an answer, whatever its kind
            return f"{type(error).__name__}: {error}"[:300]
