"""The routes of jobs: a photo is taken now and answered later, as ``/v1/scrub`` would have answered it."""

from __future__ import annotations

import asyncio

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from medimg.api import Scrubbed
from medimg.serve.answers import PLAIN, Handler, json, problem, scrubbed
from medimg.serve.jobs import Jobs
from medimg.serve.once import key_of
from medimg.serve.records import JobList, Removed
from medimg.serve.sending import sent

JOBS, JOB = "/v1/jobs", "/v1/jobs/{id}"


class Later:
    """What each path of a job answers.

    Args:
        jobs: Where they are kept.
        most: Bytes of a photo.
    """

    def __init__(self, jobs: Jobs, most: int) -> None:
        self._jobs, self._most = jobs, most

    def table(self) -> list[tuple[str, Handler, str]]:
        """Path, handler and method of each."""
        return [
            (JOBS, self.take, "POST"),
            (JOBS, self.list, "GET"),
            (JOBS, self.purge, "DELETE"),
            (JOB, self.answer, "GET"),
            (JOB, self.remove, "DELETE"),
        ]

    async def take(self, request: Request) -> Response:
        """Put a photo on the disk, and say so."""
        key = key_of(request)
        async with self._jobs.arriving:
            data, known = await sent(request, self._most)
            job = await self._jobs.take(key, data, known)
        answer = json(job, 202)
        answer.headers["location"] = f"{JOBS}/{job.id}"
        return answer

    async def list(self, _: Request) -> Response:
        """Every job."""
        return json(JobList(jobs=await asyncio.to_thread(self._jobs.all)))

    async def purge(self, _: Request) -> Response:
        """Remove every job that is answered."""
        return json(Removed(removed=await self._jobs.purge()))

    async def answer(self, request: Request) -> Response:
        """The answer of one, when it is there."""
        job = request.path_params["id"]
        try:
            stands = self._jobs.job(job)
            said = await asyncio.to_thread(self._jobs.answer, job)
            if said is None:  # it may be there by now: what is said is how it stood before
                waits = json(stands, 202)
                waits.headers["retry-after"] = "1"
                return waits
        except KeyError:
            raise HTTPException(404) from None
        if isinstance(said, Scrubbed):
            return scrubbed(request, said)
        return problem(422, said.code, said.what, said.todo)

    async def remove(self, request: Request) -> Response:
        """Remove one and all of it."""
        try:
            await self._jobs.remove(request.path_params["id"])
        except KeyError:
            raise HTTPException(404) from None
        return Response(status_code=204, headers=PLAIN)
