"""What Redis knows of a camera's fitness and of the work done for it, for people."""

import msgspec
from pydantic import Field
from redis.asyncio import Redis

from mien.contracts.camera_status import FITNESS_MIN_TRACKS, CameraFitness, PassedFace
from mien.contracts.shared_state import SKIPPED_PREFIX, fitness_key, passed_faces_key
from mien.runtime.work import read_work
from mien.vision.quality import NEEDED
from services.gateway.camera_schemas import FitnessInfo
from services.gateway.schemas import Schema

_FITNESS = msgspec.json.Decoder(CameraFitness)
_PASSED_FACE = msgspec.msgpack.Decoder(PassedFace)

CHANGES_VIEW = frozenset({"url", "main_stream_url", "frame_width_px", "min_face_px", "ignored_zones"})
"""Settings after which what was seen before says nothing of the camera any more."""


class NeededInfo(Schema):
    """From where to where a measure is good enough; null is no limit."""

    at_least: float | None
    at_most: float | None


class PassedFaceInfo(Schema):
    """The best view of somebody who passed; *yaw* without its sign."""

    ended_at_ns: int
    score: float
    face_px: float
    sharpness: float
    evenness: float
    yaw: float
    pitch: float
    brightness: float


class FitnessReport(Schema):
    """A camera's fitness with the views behind it, the oldest first, and what a view needs."""

    fitness: FitnessInfo
    tracks_needed: int
    needed: dict[str, NeededInfo]
    faces: list[PassedFaceInfo]


class CameraWork(Schema):
    """What was done with a camera's pictures since *since_ns*, an hour ago at the most.

    A picture is captured; every so often one is sampled. It is *unchanged* where nothing moved in it,
    *given_up* where newer ones came before its turn or it was damaged, and else it is looked at.
    """

    since_ns: int
    captured: int
    sampled: int
    unchanged: int
    given_up: int
    looked_at: int
    faces: int
    tracks: int
    identity_shots: int
    emotion_shots: int
    skipped: dict[str, int] = Field(description="Faces that were not sent on, by reason")


async def read_fitness(redis: Redis, camera_ids: list[str]) -> list[FitnessInfo]:
    """Return the fitness of each camera; ``unknown`` where nobody has passed."""
    if not camera_ids:
        return []
    values = await redis.mget([fitness_key(camera_id) for camera_id in camera_ids])
    return [
        _as_info(_FITNESS.decode(value) if value else CameraFitness(camera_id=camera_id))
        for camera_id, value in zip(camera_ids, values, strict=True)
    ]


async def read_report(redis: Redis, camera_id: str) -> FitnessReport:
    """Return a camera's fitness with the views behind it."""
    [fitness] = await read_fitness(redis, [camera_id])
    records = await redis.lrange(passed_faces_key(camera_id), 0, -1)
    fields = PassedFaceInfo.model_fields.keys()
    return FitnessReport(
        fitness=fitness,
        tracks_needed=FITNESS_MIN_TRACKS,
        needed={
            measure: NeededInfo(at_least=limits.at_least, at_most=limits.at_most)
            for measure, limits in NEEDED.items()
        },
        faces=[
            PassedFaceInfo(**{field: getattr(face, field) for field in fields})
            for face in map(_PASSED_FACE.decode, records)
            if face.ended_at_ns >= fitness.since_ns
        ],
    )


async def forget_fitness(redis: Redis, camera_id: str) -> None:
    """Let a camera be judged by those alone who pass it from now on."""
    await redis.delete(fitness_key(camera_id), passed_faces_key(camera_id))


async def read_camera_work(redis: Redis, camera_id: str, *, now_seconds: float) -> CameraWork:
    """Return what was done for a camera in the last hour."""
    since_seconds, done = await read_work(redis, camera_id, now_seconds=now_seconds)
    unchanged = done["unchanged"] + done["remembered"]
    return CameraWork(
        since_ns=since_seconds * 10**9,
        captured=done["captured"],
        sampled=done["sampled"],
        unchanged=unchanged,
        given_up=max(done["sampled"] - unchanged - done["looked_at"], 0),
        looked_at=done["looked_at"],
        faces=done["faces"],
        tracks=done["tracks"],
        identity_shots=done["identity_shots"],
        emotion_shots=done["emotion_shots"],
        skipped={
            step.removeprefix(SKIPPED_PREFIX): count
            for step, count in sorted(done.items())
            if step.startswith(SKIPPED_PREFIX)
        },
    )


def _as_info(fitness: CameraFitness) -> FitnessInfo:
    fields = msgspec.structs.asdict(fitness)
    del fields["camera_id"]
    return FitnessInfo(**fields)
