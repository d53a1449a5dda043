"""The promoted model as it is served: read in the background, swapped between two requests, never missed by one."""

import asyncio
import contextlib
import logging
from collections.abc import Callable

from backend.common.errors import ConflictError
from backend.predictor.errors import ModelError
from backend.predictor.models.bundle import Bundle
from backend.predictor.registry import Registry, RegistryUnavailableError

log = logging.getLogger("predictor")


class Serving:
    """Follows the registry. Belongs to one event loop; `bundle` never blocks.

    Args:
        registry: Of the models.
        poll_s: How often to look.
        on_change: Told the version that is served from now on.
    """

    def __init__(self, *, registry: Registry, poll_s: float, on_change: Callable[[str], None] = lambda _: None) -> None:
        self._registry, self._poll_s, self._on_change = registry, poll_s, on_change
        self._bundle: Bundle | None = None
        self._problem = ""
        self._task: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()

    async def start(self) -> None:
        """Begin to follow. Whether there is a model or not, it serves."""
        await self.refresh()
        self._task = asyncio.create_task(self._follow(), name="promoted model")

    async def stop(self) -> None:
        """Stop following."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def bundle(self) -> Bundle:
        """The model to use for one request.

        Raises:
            ConflictError: none is promoted, or the promoted one must not be used.
        """
        if self._bundle is None:
            raise ConflictError(self._problem or "No model is promoted yet. Train one (POST /api/v1/models) and promote it.")
        return self._bundle

    @property
    def version(self) -> str:
        """What is served; empty for nothing."""
        return self._bundle.version if self._bundle else ""

    async def refresh(self) -> None:
        """Look now. The old model serves until the new one is read and checked."""
        async with self._lock:
            try:
                version = await asyncio.to_thread(self._registry.promoted)
                if version is None:
                    self._bundle, self._problem = None, ""
                elif version != self.version:
                    self._bundle, self._problem = await asyncio.to_thread(self._registry.fetch, version), ""
                    self._on_change(version)
                    log.info("serves model %s", version)
            except RegistryUnavailableError as error:
                log.warning("%s", error)  # what was served goes on
            except ModelError as error:
                self._problem = f"The promoted model cannot be used: {error}"
                log.error("%s", self._problem)  # noqa: TRY400 - the message says it all

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(self._poll_s)
            await self.refresh()
