"""Reads emotions: one call per batch, a smoothed answer per track, counts per camera."""

import asyncio
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.contracts.cameras import Camera, EmotionPolicy
from mien.contracts.events import FaceShot, IdentityDecided
from mien.contracts.models import EMOTION_CLASSIFIER, EMOTION_LABELS, IMAGES, PROBABILITIES
from mien.contracts.readings import (
    BASELINE_TTL_SECONDS,
    BUCKET_TTL_SECONDS,
    EmotionBaseline,
    emotion_allowed,
    emotion_baseline_key,
    emotion_counts_key,
)
from mien.contracts.shared_state import TRACK_STATE_TTL_SECONDS, emotion_state_key, track_key
from mien.contracts.topics import EMOTIONS
from mien.runtime import metrics
from mien.runtime.bus import publish
from mien.runtime.event_loop import Received
from mien.runtime.serving import Prediction
from mien.runtime.shots import align_shots
from services.emotion.baseline import judge_by, learn
from services.emotion.config import EmotionSettings
from services.emotion.neighbours import Neighbours
from services.emotion.pipeline import EmotionState, count, estimated, is_due, smooth
from services.emotion.states import is_new, load_states

_MODEL = EMOTION_CLASSIFIER
_TIRED = EMOTION_LABELS.index("tired")
_STATE = msgspec.msgpack.Decoder(EmotionState)
_BASELINE = msgspec.msgpack.Decoder(EmotionBaseline)
_IDENTITY = msgspec.msgpack.Decoder(IdentityDecided)

TiredByShot = dict[tuple[str, int], float]
"""Track and shot number → the probability that the emotion network gives *tired*."""


class EmotionReader:
    """Follows how each track looks."""

    def __init__(self, settings: EmotionSettings, neighbours: Neighbours) -> None:
        self._settings = settings
        self._smoothing = settings.smoothing()
        self._gate = settings.emotion_gate()
        self._redis = neighbours.redis
        self._serving = neighbours.serving
        self._producer = neighbours.producer
        self._cameras = neighbours.cameras
        self._policies: dict[str, EmotionPolicy] = {}

    async def read(self, received: Sequence[Received[FaceShot]]) -> TiredByShot:
        """Work on the shots of cameras that allow it; publishes before it saves, so a replay does no harm."""
        usable = [one for one in received if self._is_usable(one.event)]
        states = await load_states(
            self._redis, (one.event.track_id for one in usable), key=emotion_state_key, decoder=_STATE
        )
        self._policies = {camera.camera_id: camera.emotion_policy for camera in self._cameras.all()}
        tired: TiredByShot = {}
        for start in range(0, len(usable), self._settings.max_batch_size):
            chunk = usable[start : start + self._settings.max_batch_size]
            await self._read_chunk([one for one in chunk if is_new(states, one.event)], states, tired)
        return tired

    async def _read_chunk(
        self, chunk: Sequence[Received[FaceShot]], states: dict[str, EmotionState], tired: TiredByShot
    ) -> None:
        due = [one for one in chunk if is_due(states.get(one.event.track_id), one.event, self._smoothing)]
        metrics.SKIPPED.labels("emotion", "sampled_lately").inc(len(chunk) - len(due))
        if not due:
            return
        prediction = await self._predict([one.event for one in due])
        people = await self._people_of(due)
        await self._cameras.refresh()  # switched off while the model was at work: nothing is told or kept
        for one, raw in zip(due, prediction.outputs[PROBABILITIES], strict=True):
            shot, camera = one.event, self._cameras.get(one.event.camera_id)
            if camera is None or not self._is_still_allowed(camera):
                metrics.DROPPED.labels("emotion", "policy").inc()
                continue
            tired[shot.track_id, shot.shot_number] = float(raw[_TIRED])
            # Two shots of one track within a batch may be nearer to each other than to the last one before.
            state = states.get(shot.track_id)
            if not is_new(states, shot) or not is_due(state, shot, self._smoothing):
                metrics.SKIPPED.labels("emotion", "sampled_lately").inc()
                continue
            probabilities = raw
            if (person_id := people.get(shot.track_id)) is not None and camera.emotion_policy == "per_person":
                probabilities = await self._judge(person_id, shot, raw, prediction.version)
            states[shot.track_id] = await self._tell(
                one, smooth(state, shot, probabilities, self._smoothing), camera, prediction.version
            )

    def _is_still_allowed(self, camera: Camera) -> bool:
        """Whether a camera's policy is the one that the batch began with, and allows emotion."""
        return emotion_allowed(camera) and camera.emotion_policy == self._policies.get(camera.camera_id)

    async def _tell(
        self, one: Received[FaceShot], state: EmotionState, camera: Camera, model_version: int
    ) -> EmotionState:
        """Publish and save a track's new state; where only sums are allowed, nothing is said of the track."""
        shot, is_named = one.event, camera.emotion_policy == "per_person"
        if is_named:
            event = estimated(state, shot, model=_MODEL.name, model_version=model_version)
            await publish(self._producer, EMOTIONS, event, partition=one.partition)
        counted, changes = count(state)
        async with self._redis.pipeline(transaction=True) as pipe:
            for change in changes:
                key = emotion_counts_key(camera.camera_id, change.bucket_seconds, change.bucket)
                pipe.hincrby(key, change.label, change.by)
                pipe.expire(key, BUCKET_TTL_SECONDS[change.bucket_seconds])
            pipe.set(
                emotion_state_key(shot.track_id),
                msgspec.msgpack.encode(counted),
                ex=TRACK_STATE_TTL_SECONDS,
            )
            await pipe.execute()
        # A metric of labels, scraped every few seconds, would tell how a lone passer-by looked.
        metrics.EMOTIONS.labels(state.label if is_named else "aggregated").inc()
        return counted

    async def _predict(self, shots: Sequence[FaceShot]) -> Prediction:
        images = await asyncio.to_thread(align_shots, shots, alignment=_MODEL.alignment, size=_MODEL.size)
        return await self._serving.predict(
            _MODEL.name,
            {IMAGES: np.ascontiguousarray(images)},
            version_label=self._settings.model_label,
            timeout_seconds=self._settings.serving.timeout_seconds,
        )

    async def _people_of(self, received: Sequence[Received[FaceShot]]) -> Mapping[str, str]:
        """Return who the tracks are, as far as recognizers are sure; nobody unless baselines are on."""
        if not self._settings.baselines:
            return {}
        track_ids = sorted({one.event.track_id for one in received})
        async with self._redis.pipeline(transaction=False) as pipe:
            for track_id in track_ids:
                pipe.hget(track_key(track_id), "identity")
            values: list[bytes | None] = await pipe.execute()
        people = {}
        for track_id, value in zip(track_ids, values, strict=True):
            decided = _IDENTITY.decode(value) if value else None
            if decided is not None and decided.state == "confirmed" and decided.person_id is not None:
                people[track_id] = decided.person_id
        return people

    async def _judge(
        self, person_id: str, shot: FaceShot, probabilities: NDArray[np.float32], model_version: int
    ) -> NDArray[np.float32]:
        """Judge a shot by how its person usually looks, and learn from it."""
        key = emotion_baseline_key(person_id)
        value: bytes | None = await self._redis.get(key)
        if value == b"":
            return probabilities  # forgotten a moment ago: nothing new is learned of them
        baseline = _BASELINE.decode(value) if value else None
        learned = learn(
            baseline, probabilities, track_id=shot.track_id, model=_MODEL.name, model_version=model_version
        )
        await self._redis.set(key, msgspec.msgpack.encode(learned), ex=BASELINE_TTL_SECONDS)
        return judge_by(learned, probabilities)

    def _is_usable(self, shot: FaceShot) -> bool:
        if not emotion_allowed(self._cameras.get(shot.camera_id)):
            return False
        fault = self._gate.fault_of(shot.quality)
        if fault is not None:
            metrics.SKIPPED.labels("emotion", fault).inc()
        return fault is None
