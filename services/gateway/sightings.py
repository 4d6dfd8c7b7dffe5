"""From tracks that have ended to history: a row in SQL, and a CloudEvent for integrators."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import structlog
from redis.exceptions import RedisError
from sqlalchemy.orm import Session

from mien.contracts.events import (
    EmotionEstimated,
    IdentityDecided,
    TirednessEstimated,
    TrackEnded,
    TrackEvent,
    TracksObserved,
    TrackStarted,
    derive_event_id,
)
from mien.contracts.readings import tiredness_allowed
from mien.contracts.topics import SIGHTINGS
from mien.errors import TransientError
from mien.runtime import metrics
from mien.runtime.cameras import CameraDirectory
from mien.runtime.event_loop import Received
from mien.runtime.service import Service
from services.gateway.database import Database
from services.gateway.merge import Result, TrackState, TrackStore
from services.gateway.names import Names
from services.gateway.pipeline import emotion_shares, emotions_allowed, identity_now, tiredness_told
from services.gateway.publisher import Publisher
from services.gateway.tables import Person, Sighting
from services.gateway.who import WhoIsWho, is_ignored

log = structlog.get_logger()

CLOUD_EVENT_TYPE: Final = "mien.sighting.v1"
_TOUCH_EVERY_MS: Final = 2000
_REAP_SECONDS: Final = 2.0


class SightingRecorder:
    """Merges what workers say of tracks and writes down each track that has ended."""

    def __init__(
        self,
        tracks: TrackStore,
        database: Database,
        publisher: Publisher,
        *,
        directory: CameraDirectory,
        names: Names,
        silent_seconds: float,
    ) -> None:
        self._tracks = tracks
        self._database = database
        self._publisher = publisher
        self._directory = directory
        self._names = names
        self._silent_ms = int(silent_seconds * 1000)
        self._touched_at_ms: dict[str, int] = {}
        self._recording = asyncio.Lock()

    async def merge_results(self, received: Sequence[Received[Result]]) -> None:
        """Merge results of recognizers or emotion workers; those of ended tracks amend the history.

        What a camera's policy does not allow, or no longer, is dropped and counted.

        Raises:
            TransientError: Redis, the database or the broker is away.
        """
        await self._directory.refresh()
        allowed = [one.event for one in received if self._is_allowed(one.event)]
        metrics.DROPPED.labels("gateway", "policy").inc(len(received) - len(allowed))
        late = await _redis(self._tracks.merge(allowed)) if allowed else []
        await self._record(late)

    def _is_allowed(self, event: Result) -> bool:
        camera = self._directory.get(event.camera_id)
        match event:
            case EmotionEstimated():
                return emotions_allowed(camera)
            case TirednessEstimated():
                return tiredness_allowed(camera)
            case IdentityDecided():
                return True

    async def note_events(self, received: Sequence[Received[TrackEvent]]) -> None:
        """Open tracks that have started, write down those that have ended.

        Raises:
            TransientError: Redis, the database or the broker is away.
        """
        events = [one.event for one in received]
        started = [event for event in events if isinstance(event, TrackStarted)]
        ended = [event for event in events if isinstance(event, TrackEnded)]
        if started:
            await _redis(self._tracks.open(started, now_ms=_now_ms()))
        if ended:
            await _redis(self._tracks.end(ended))
            await self._record([event.track_id for event in ended])

    async def note_seen(self, received: Sequence[Received[TracksObserved]]) -> None:
        """Keep tracks alive while they are seen; every two seconds is enough.

        Raises:
            TransientError: Redis is away.
        """
        now_ms = _now_ms()
        seen: dict[str, tuple[str, int]] = {}
        for one in received:
            for track_id in one.event.track_ids:
                if now_ms - self._touched_at_ms.get(track_id, 0) >= _TOUCH_EVERY_MS:
                    seen[track_id] = (one.event.camera_id, one.event.captured_at_ns)
        if not seen:
            return
        await _redis(self._tracks.touch(seen, now_ms=now_ms))
        fresh = {id_: at for id_, at in self._touched_at_ms.items() if now_ms - at < _TOUCH_EVERY_MS}
        self._touched_at_ms = fresh | dict.fromkeys(seen, now_ms)

    async def run(self, service: Service) -> None:
        """Close tracks whose detector died before it could say that they ended, until cancelled."""
        while not service.stop.is_set():
            await asyncio.sleep(_REAP_SECONDS)
            try:
                silent = await _redis(self._tracks.silent_since(_now_ms() - self._silent_ms))
                if silent:
                    await _redis(self._tracks.end_silent(silent))
                    await self._record(silent)
                service.health.resolve("sightings")
            except TransientError as error:
                service.health.report("sightings", str(error))

    async def _record(self, track_ids: Sequence[str]) -> None:
        """Write down ended tracks and tell integrators; doing it again changes and tells the same."""
        if not track_ids:
            return
        # One at a time: results and ends come from different topics, and what integrators hear last of a
        # track must be what was written last.
        async with self._recording:
            await self._write_and_tell(track_ids)

    async def _write_and_tell(self, track_ids: Sequence[str]) -> None:
        await self._directory.refresh()  # what may be written is decided by the policies of now
        states = await _redis(self._tracks.load(track_ids))
        who = await self._names.read()
        sightings = [
            sighting for state in states if (sighting := sighting_of(state, self._directory, who)) is not None
        ]
        if sightings:
            await self._database.run(lambda session: _amend(session, sightings))
        for sighting in sightings:
            if is_ignored(sighting.person_id, sighting.stranger_id, who):
                continue  # written down, but nobody is alerted
            camera = self._directory.get(sighting.camera_id)
            await self._publisher.publish_json(
                SIGHTINGS,
                msgspec.json.encode(cloud_event(sighting, who)),
                key=sighting.camera_id,
                content_type="application/cloudevents+json",
                partition=camera.partition if camera else 0,
            )
        await _redis(self._tracks.forget(track_ids))


def sighting_of(state: TrackState, directory: CameraDirectory, who: WhoIsWho) -> Sighting | None:
    """Return the row for a track, or None while it lasts; only what its camera's policy allows now."""
    if state.ended_at_ns is None:
        return None
    camera = directory.get(state.camera_id)
    identity = identity_now(state.identity, who, camera)
    ended_at_ns = state.ended_at_ns
    started_at_ns = min(state.started_at_ns or ended_at_ns, ended_at_ns)
    return Sighting(
        track_id=state.track_id,
        camera_id=state.camera_id,
        camera_name=camera.name if camera else state.camera_id,
        person_id=identity.person_id if identity else None,
        answer=identity.answer if identity else "unclear",
        similarity=identity.similarity if identity else None,
        accept_similarity=identity.accept_similarity if identity else None,
        stranger_id=identity.stranger_id if identity else None,
        started_at=_time_of(started_at_ns),
        ended_at=_time_of(ended_at_ns),
        emotions=emotion_shares(state.emotion_counts, camera),
        emotion_timeline=state.emotion.timeline if state.emotion and emotions_allowed(camera) else None,
        tiredness=tiredness_told(state.tiredness, camera),
    )


def cloud_event(sighting: Sighting, who: WhoIsWho) -> dict[str, Any]:
    """Return a sighting as a CloudEvent 1.0; its id changes only when what it says does."""
    stranger = who.strangers.get(sighting.stranger_id) if sighting.stranger_id else None
    data = {
        "track_id": sighting.track_id,
        "camera_id": sighting.camera_id,
        "camera_name": sighting.camera_name,
        "answer": sighting.answer,
        "person_id": sighting.person_id,
        "person_name": who.people.get(sighting.person_id) if sighting.person_id else None,
        "stranger_id": stranger.root_id if stranger else None,
        "stranger_label": stranger.label if stranger else None,
        "similarity": sighting.similarity,
        "started_at": sighting.started_at,
        "ended_at": sighting.ended_at,
        "emotions": sighting.emotions,
        "tiredness": sighting.tiredness,
    }
    return {
        "specversion": "1.0",
        "id": derive_event_id(*data.values()),
        "source": f"/cameras/{sighting.camera_id}",
        "type": CLOUD_EVENT_TYPE,
        "subject": sighting.track_id,
        "time": sighting.ended_at,
        "datacontenttype": "application/json",
        "data": data,
    }


def _amend(session: Session, sightings: Sequence[Sighting]) -> None:
    for sighting in sightings:
        if sighting.person_id is not None and session.get(Person, sighting.person_id) is None:
            sighting.person_id = None  # forgotten since the names were read
        known = session.get(Sighting, sighting.track_id)
        if known is not None and sighting.answer == "unclear":
            # The merged state has expired meanwhile, or never was: what was known stays.
            known.ended_at = max(known.ended_at, sighting.ended_at)
        else:
            session.merge(sighting)


async def _redis(work: Any) -> Any:
    try:
        return await work
    except (RedisError, OSError) as error:
        raise TransientError(f"Redis does not answer: {type(error).__name__}") from error


def _time_of(at_ns: int) -> datetime:
    return datetime.fromtimestamp(at_ns / 1e9, UTC)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
