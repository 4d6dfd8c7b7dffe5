"""Answering what somebody wants to know about cameras that may not be registered yet."""

import asyncio
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar

from mien.contracts.camera_requests import (
    CameraFound,
    CameraReply,
    CameraRequest,
    CameraSearch,
    CameraTestAdvanced,
    CameraTested,
    ProfileQuery,
    ProfilesListed,
    SearchEnded,
    StreamTest,
)
from mien.contracts.events import derive_event_id
from services.ingest import discovery
from services.ingest.advice import advice_for
from services.ingest.config import IngestSettings
from services.ingest.onvif import choose_streams, list_streams
from services.ingest.soap import SoapError
from services.ingest.stream_trial import TrialResult, try_stream

Tell = Callable[[CameraReply], None]
ResultT = TypeVar("ResultT")
_DEADLINE_SECONDS: Final = 45.0
_TOO_LONG: Final = "the camera took too long to answer"


class Answerer:
    """Answers requests, one after the other or side by side."""

    def __init__(self, settings: IngestSettings) -> None:
        self._settings = settings

    async def answer(self, request_id: str, request: CameraRequest, tell: Tell) -> None:
        """Answer one request; the last thing told is one of ``LAST_REPLIES``, whatever happens."""
        count = 0

        def say(kind: Any, **fields: Any) -> None:
            nonlocal count
            count += 1
            event_id = derive_event_id("camera-reply", request_id, count)
            tell(
                kind(
                    camera_id="",
                    event_id=event_id,
                    captured_at_ns=time.time_ns(),
                    request_id=request_id,
                    **fields,
                )
            )

        match request:
            case StreamTest():
                await self._test(request, say)
            case ProfileQuery():
                await self._list_profiles(request, say)
            case CameraSearch():
                await self._search(request, say)

    async def _test(self, request: StreamTest, say: Callable[..., None]) -> None:
        loop = asyncio.get_running_loop()
        stop = threading.Event()

        def step(name: str) -> None:
            loop.call_soon_threadsafe(partial(say, CameraTestAdvanced, step=name))

        work = partial(try_stream, request, self._settings, step, stop=stop)
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                result = await _in_own_thread(work)
        except TimeoutError:
            result = TrialResult(False, _TOO_LONG, "no_answer", advice_for("no_answer"))
        finally:
            stop.set()
        say(
            CameraTested,
            ok=result.ok,
            explanation=result.explanation,
            reason=result.reason,
            advice=result.advice,
            size_wh=result.report.size_wh if result.report else None,
            snapshot_jpeg=result.snapshot_jpeg,
            report=result.report,
            certificate=result.certificate,
        )

    async def _list_profiles(self, request: ProfileQuery, say: Callable[..., None]) -> None:
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                streams = await list_streams(request, self._settings.cameras.rules())
        except TimeoutError:
            error = SoapError("no_answer", _TOO_LONG)
        except SoapError as refused:
            error = refused
        else:
            url, main_stream_url = choose_streams(streams.profiles)
            count = len(streams.profiles)
            say(
                ProfilesListed,
                ok=True,
                explanation=f"offers {count} stream{'s' if count > 1 else ''}",
                device=streams.device,
                profiles=tuple(streams.profiles),
                url=url,
                main_stream_url=main_stream_url,
            )
            return
        say(
            ProfilesListed,
            ok=False,
            explanation=str(error),
            reason=error.reason,
            advice=advice_for(error.reason),
        )

    async def _search(self, request: CameraSearch, say: Callable[..., None]) -> None:
        result = await discovery.search(
            request.seconds,
            lambda device: say(CameraFound, device=device),
            interfaces=self._settings.search_addresses,
        )
        words = "" if result.searched else "this machine is in no network that cameras could be looked for in"
        say(SearchEnded, found=result.found, searched=result.searched, explanation=words)


async def _in_own_thread(work: Callable[[], ResultT]) -> ResultT:
    """Run blocking work in a thread that keeps nobody waiting, even where it is stuck in native code."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[ResultT] = loop.create_future()

    def settle(result: ResultT | None, error: BaseException | None) -> None:
        if done.done():
            return  # nobody waits any more
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]  # it is the work's own

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except Exception as raised:
            error = raised
        loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, name="camera-request", daemon=True).start()
    return await done
