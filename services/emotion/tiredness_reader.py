"""Reads tiredness: eyes and mouth of each shot, and what they come to over a minute."""

from collections.abc import Sequence

import msgspec

from mien.contracts.events import FaceShot
from mien.contracts.models import EYELIDS
from mien.contracts.readings import tiredness_allowed
from mien.contracts.shared_state import tiredness_state_key
from mien.contracts.topics import TIREDNESS
from mien.runtime import metrics
from mien.runtime.bus import publish
from mien.runtime.event_loop import Received
from services.emotion.config import EmotionSettings
from services.emotion.emotion_reader import TiredByShot
from services.emotion.faces import measure_openness
from services.emotion.gate import ViewFault
from services.emotion.neighbours import Neighbours
from services.emotion.states import is_new, load_states
from services.emotion.tiredness import (
    STATE_TTL_SECONDS,
    FaceOpenness,
    TirednessState,
    estimated,
    is_news,
    observe,
)

_STATE = msgspec.msgpack.Decoder(TirednessState)


class TirednessReader:
    """Follows how tired each track looks."""

    def __init__(self, settings: EmotionSettings, neighbours: Neighbours) -> None:
        self._settings = settings
        self._rules = settings.tiredness_rules()
        self._gate = settings.tiredness_gate()
        self._redis = neighbours.redis
        self._serving = neighbours.serving
        self._producer = neighbours.producer
        self._cameras = neighbours.cameras

    async def read(self, received: Sequence[Received[FaceShot]], tired: TiredByShot) -> None:
        """Work on the shots of cameras that allow it; one without use tells why there is not enough."""
        allowed = [one for one in received if tiredness_allowed(self._cameras.get(one.event.camera_id))]
        states = await load_states(
            self._redis, (one.event.track_id for one in allowed), key=tiredness_state_key, decoder=_STATE
        )
        pending = [one for one in allowed if is_new(states, one.event)]
        for start in range(0, len(pending), self._settings.max_batch_size):
            await self._read_chunk(pending[start : start + self._settings.max_batch_size], states, tired)

    async def _read_chunk(
        self, chunk: Sequence[Received[FaceShot]], states: dict[str, TirednessState], tired: TiredByShot
    ) -> None:
        seen, version = await self._look([one.event for one in chunk], tired)
        await self._cameras.refresh()  # switched off while the model was at work: nothing is told or kept
        for one, view in zip(chunk, seen, strict=True):
            shot = one.event
            if not tiredness_allowed(self._cameras.get(shot.camera_id)):
                metrics.DROPPED.labels("tiredness", "policy").inc()
                continue
            if not is_new(states, shot):
                continue
            before = states.get(shot.track_id)
            state = observe(before, shot, view, self._rules)
            if is_news(before, state):
                event = estimated(state, shot, model=EYELIDS.name, model_version=version)
                await publish(self._producer, TIREDNESS, event, partition=one.partition)
                state = msgspec.structs.replace(state, published_at_ns=shot.captured_at_ns)
                metrics.TIREDNESS.labels(state.answer).inc()
            await self._redis.set(
                tiredness_state_key(shot.track_id), msgspec.msgpack.encode(state), ex=STATE_TTL_SECONDS
            )
            states[shot.track_id] = state

    async def _look(
        self, shots: Sequence[FaceShot], tired: TiredByShot
    ) -> tuple[list[FaceOpenness | ViewFault], int]:
        """Return what each shot shows, or why nothing, and the version of the network asked, 0 for none."""
        seen: list[FaceOpenness | ViewFault | None] = [self._gate.fault_of(shot.quality) for shot in shots]
        usable = [index for index, fault in enumerate(seen) if fault is None]
        for fault in seen:
            if isinstance(fault, str):
                metrics.SKIPPED.labels("tiredness", fault).inc()
        version = 0
        if usable:
            openness = await measure_openness(
                self._serving,
                [shots[index] for index in usable],
                timeout_seconds=self._settings.serving.timeout_seconds,
            )
            version = openness.eyelids_version
            for index, eyes, mouth in zip(usable, openness.eyes, openness.mouths, strict=True):
                key = (shots[index].track_id, shots[index].shot_number)
                seen[index] = FaceOpenness(float(eyes), float(mouth), tired.get(key, 0.0))
        return [view for view in seen if view is not None], version
