"""The models: list, train, promote, roll back, delete; and the jobs that train."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import APIRouter, Depends

from backend.common.app import JsonAnswer
from backend.common.errors import ConflictError, NotFoundError, UnavailableError
from backend.common.openapi import error_responses
from backend.contract.times import from_datetime, to_iso
from backend.predictor.errors import ModelError
from backend.predictor.jobs import Jobs
from backend.predictor.registry import (
    ENTRIES,
    Entry,
    PromotedVersionError,
    Registry,
    RegistryUnavailableError,
    UnknownVersionError,
)
from backend.predictor.schemas import (
    DeletedAnswer,
    JobAnswer,
    JobsAnswer,
    JobStarted,
    ModelAnswer,
    ModelsAnswer,
    PromotedAnswer,
    TrainIn,
)
from backend.predictor.serving import Serving

T = TypeVar("T")

_GONE = error_responses(404, s503="MongoDB does not respond; repeat it after `Retry-After` seconds.")
_CHANGE = error_responses(
    s403="The token may ask for predictions, and not change models.",
    s409="Not possible in the present state.",
    s503="MongoDB does not respond; repeat it after `Retry-After` seconds.",
)


async def _ask(call: Callable[..., T], *arguments: Any) -> T:
    """Run a call of the registry in a thread, with its errors as answers."""
    try:
        return await asyncio.to_thread(call, *arguments)
    except UnknownVersionError as error:
        raise NotFoundError(str(error)) from error
    except PromotedVersionError as error:
        raise ConflictError(str(error)) from error
    except RegistryUnavailableError as error:
        raise UnavailableError(str(error), retry_after_s=2) from error
    except ModelError as error:
        raise ConflictError(str(error)) from error


def _wire(entry: Entry) -> dict[str, Any]:
    return {
        "version": entry.version,
        "promoted": entry.promoted,
        "promoted_at": to_iso(from_datetime(entry.since)) if entry.since is not None else None,
        "size": entry.size,
        "sha256": entry.checksum,
        "card": dict(entry.card),
    }


def models_router(*, registry: Registry, serving: Serving, jobs: Jobs, may_change: Callable[..., Any]) -> APIRouter:
    """The calls.

    Args:
        registry, serving, jobs: What they work on.
        may_change: Dependency of the calls that change something.
    """
    router = APIRouter(tags=["models"])
    guarded = [Depends(may_change)]

    @router.get("/api/v1/models", response_class=JsonAnswer, response_model=ModelsAnswer, responses={503: _GONE[503]})
    async def models() -> JsonAnswer:
        """Versions, the newest first, with their cards; `previous` is the one that a roll back would serve."""
        entries, previous = await _ask(registry.entries), await _ask(registry.previous)
        left_out = registry.left_out.counts().get(ENTRIES, 0)
        listed = [_wire(e) for e in entries]
        return JsonAnswer({"promoted": serving.version or None, "previous": previous, "models": listed, "left_out": left_out})

    @router.post(
        "/api/v1/models",
        status_code=202,
        response_class=JsonAnswer,
        response_model=JobStarted,
        dependencies=guarded,
        responses=_CHANGE,
    )
    async def train(body: TrainIn | None = None) -> JsonAnswer:
        """Train a new version. It is published when it beats the naive forecasts, and never promoted by itself."""
        job = await jobs.start((body or TrainIn()).arguments())
        return JsonAnswer({"job": job.name}, status_code=202)

    @router.post(
        "/api/v1/models/rollback",
        response_class=JsonAnswer,
        response_model=PromotedAnswer,
        dependencies=guarded,
        responses={**_GONE, **_CHANGE},
    )
    async def roll_back() -> JsonAnswer:
        """Promote the version again that was promoted before this one."""
        version = await _ask(registry.roll_back)
        await serving.refresh()
        return JsonAnswer({"promoted": version})

    @router.get(
        "/api/v1/models/{version}",
        response_class=JsonAnswer,
        response_model=ModelAnswer,
        responses={**_GONE, 409: _CHANGE[409]},
    )
    async def model(version: str) -> JsonAnswer:
        """One version with its card."""
        return JsonAnswer(_wire(await _ask(registry.entry, version)))

    @router.post(
        "/api/v1/models/{version}/promote",
        response_class=JsonAnswer,
        response_model=PromotedAnswer,
        dependencies=guarded,
        responses={**_GONE, **_CHANGE},
    )
    async def promote(version: str) -> JsonAnswer:
        """Serve this version from now on. The old one serves until the new one is read and checked."""
        await _ask(registry.promote, version)
        await serving.refresh()
        return JsonAnswer({"promoted": version})

    @router.delete(
        "/api/v1/models/{version}",
        response_class=JsonAnswer,
        response_model=DeletedAnswer,
        dependencies=guarded,
        responses={**_GONE, **_CHANGE},
    )
    async def delete(version: str) -> JsonAnswer:
        """Remove a version that is not promoted."""
        await _ask(registry.delete, version)
        return JsonAnswer({"deleted": version})

    @router.get("/api/v1/jobs", response_class=JsonAnswer, response_model=JobsAnswer)
    async def jobs_known() -> JsonAnswer:
        """The trainings since the predictor's start, the newest first."""
        return JsonAnswer({"jobs": [job.wire() for job in jobs.all()]})

    @router.get("/api/v1/jobs/{job}", response_class=JsonAnswer, response_model=JobAnswer, responses={404: _GONE[404]})
    async def job_state(job: str) -> JsonAnswer:
        """How a training stands."""
        return JsonAnswer(jobs.get(job).wire())

    @router.delete(
        "/api/v1/jobs/{job}",
        response_class=JsonAnswer,
        response_model=JobAnswer,
        dependencies=guarded,
        responses={403: _CHANGE[403], 404: _GONE[404]},
    )
    async def cancel(job: str) -> JsonAnswer:
        """Cancel a training; one that has ended stays as it is."""
        return JsonAnswer(jobs.cancel(job).wire())

    return router
