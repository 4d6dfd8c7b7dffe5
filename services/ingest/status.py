"""What a camera's state looks like to people: one record, made from what reader and publisher know."""

import time
from collections import Counter
from dataclasses import dataclass
from typing import Final

import msgspec
from redis.asyncio import Redis

from mien.contracts.camera_status import CameraStatus, MainStreamStatus
from mien.contracts.shared_state import CAMERA_STATUS_CHANNEL, CAMERA_STATUS_TTL_SECONDS, camera_status_key
from services.ingest.closeups import Unusable, why_unusable
from services.ingest.condition import Condition, Limits, View, judge
from services.ingest.main_stream import MainStreamReader
from services.ingest.reader import CameraReader
from services.ingest.stream import StreamReader

_UNUSABLE_WORDS: Final[dict[Unusable, str]] = {
    "other_view": "not used: its picture has another shape than the camera's, so it shows another view",
    "no_gain": "not used: its picture is hardly larger than the camera's",
}


@dataclass
class RateMeter:
    """Turns a growing count into a rate, over the time between two looks at it."""

    count: int = 0
    at: float = 0.0
    rate: float = 0.0

    def update(self, count: int, now: float) -> float:
        """Return the rate since the last look; looks less than a second apart repeat the last rate."""
        if now - self.at >= 1.0:
            self.rate = max(count - self.count, 0) / (now - self.at)
            self.count, self.at = count, now
        return self.rate


def look_at(reader: StreamReader, *, fps: float | None = None, expected_fps: float | None = None) -> View:
    """Return what is known of a stream now."""
    report, now = reader.report, time.monotonic()
    retry_in_seconds = None if report.retry_at_ns is None else (report.retry_at_ns - time.time_ns()) / 1e9
    return View(
        state=report.state,
        failure=report.failure,
        retry_in_seconds=retry_in_seconds,
        silent_seconds=now - (reader.progress_at if report.state == "streaming" else reader.picture_at),
        pictureless_seconds=now - reader.picture_at,
        unchanged_seconds=reader.unchanged_seconds if isinstance(reader, CameraReader) else 0.0,
        fps=fps,
        expected_fps=expected_fps,
        kind=reader.camera.source,
    )


def limits_of(reader: StreamReader) -> Limits:
    """Return from where on a stream is called frozen or slow; a demo may stand still."""
    settings = reader.settings
    return Limits(0.0 if reader.camera.demo else settings.frozen_seconds, settings.slow_share)


def describe_camera(
    reader: CameraReader,
    unsent: Counter[str],
    condition: Condition,
    *,
    captured_fps: float,
    published_fps: float,
    replica: str,
    main: MainStreamReader | None = None,
) -> CameraStatus:
    """Return the status of a camera that is read; *unsent* counts what its publisher dropped."""
    report = reader.report
    streams = report.state == "streaming" and condition.state != "stalled"
    skew = reader.clock_skew_seconds
    return CameraStatus(
        camera_id=reader.camera.camera_id,
        state=condition.state,
        reason=condition.words,
        since_ns=report.since_ns,
        retry_at_ns=report.retry_at_ns,
        captured_fps=round(captured_fps, 1) if streams else 0.0,
        published_fps=round(published_fps, 1) if streams else 0.0,
        size_wh=report.size_wh,
        codec=report.codec,
        replica=replica,
        reconnects=max(reader.openings - 1, 0),
        dropped=dict(reader.dropped + unsent),
        main_stream=None if main is None else describe_main_stream(main, frame_wh=reader.frame_wh),
        clock_skew_seconds=None if skew is None or not streams else round(skew, 2),
        stated_fps=report.stated_fps,
        keyframes_only=streams and reader.keyframes_only,
        certificate=None if report.failure is None else report.failure.certificate,
    )


def describe_main_stream(reader: MainStreamReader, *, frame_wh: tuple[int, int] | None) -> MainStreamStatus:
    """Return the status of a main stream beside a camera whose frames are of this size."""
    report = reader.report
    condition = judge(look_at(reader), limits_of(reader))
    state, reason = condition.state, condition.words
    if state == "streaming" and frame_wh is not None and reader.closeup_wh is not None:
        why = why_unusable(frame_wh, reader.closeup_wh)
        reason = "" if why is None else _UNUSABLE_WORDS[why]
    return MainStreamStatus(
        state=state,
        reason=reason,
        since_ns=report.since_ns,
        retry_at_ns=report.retry_at_ns,
        size_wh=report.size_wh,
        codec=report.codec,
        wanted=reader.wanted,
    )


async def write_status(redis: Redis, status: CameraStatus) -> None:
    """Store a status until it expires, and tell whoever listens."""
    record = msgspec.json.encode(status)
    async with redis.pipeline(transaction=False) as pipe:
        pipe.set(camera_status_key(status.camera_id), record, ex=CAMERA_STATUS_TTL_SECONDS)
        pipe.publish(CAMERA_STATUS_CHANNEL, record)
        await pipe.execute()
