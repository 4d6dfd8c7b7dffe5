"""What close-ups do for recognition: real faces, small in a frame and three times as large beside it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.contracts.cameras import Camera
from mien.contracts.events import FaceShot
from mien.contracts.frames import Frame
from mien.contracts.models import EMBEDDINGS, FACE_EMBEDDER, IMAGES
from mien.runtime.quiet_openvino import openvino as ov
from mien.runtime.shots import align_shots
from mien.vision.alignment import align_face
from mien.vision.jpeg import decode_jpeg_rgb, encode_jpeg_rgb
from services.detector.closeups import Closeup
from services.detector.mtcnn import MtcnnDetector
from services.detector.pipeline import CameraPipeline
from services.detector.search import SearchSettings
from services.detector.shots import ShotSettings
from services.detector.tracker import TrackerSettings
from tests.faces import people, read_rgb

MAIN_WH: Final = (1920, 1080)
FRAME_WH: Final = (640, 360)
_MODEL: Final = Path(__file__).parents[2] / "model_repo" / FACE_EMBEDDER.name / "1"
_PROBES_PER_PERSON: Final = 4
_CAMERA: Final = Camera(camera_id="bench", name="Bench", url="rtsp://x", partition=0, min_face_px=20)


@dataclass(frozen=True)
class Seen:
    """One person in front of the camera, and the shot that was taken of them."""

    person: str
    shot: FaceShot
    embedding: NDArray[np.float32]


def measure_identity() -> dict[str, Any]:
    """Return face size, quality and closed-set accuracy of shots from the frame and from the close-up.

    Photographs of Labeled Faces in the Wild in a 1920x1080 picture, in their own size (about 100 px a face);
    the frame is the same picture at 640x360. Both travel as JPEGs, as they do from ingest. Counted are
    people who were found in the frame at all.
    """
    detector = MtcnnDetector()
    embed = _embedder()
    gallery = {
        person: np.stack([embed(_aligned(detector, path)) for path in roles["enroll"]])
        for person, roles in people().items()
    }
    shown = list(_see_probes(detector, embed))
    pairs = [pair for pair in shown if pair is not None]
    outcome: dict[str, Any] = {"people_shown": len(shown), "found_in_frame": len(pairs)}
    for name, seen in zip(("shot_from_frame", "shot_from_closeup"), zip(*pairs, strict=True), strict=True):
        outcome[name] = _summary(seen, gallery)
    return outcome


def _summary(seen: tuple[Seen, ...], gallery: dict[str, NDArray[np.float32]]) -> dict[str, float]:
    named = [_best_match(one.embedding, gallery) for one in seen]
    right = [
        similarity
        for one, (person, similarity) in zip(seen, named, strict=True)
        if person == one.person and similarity >= FACE_EMBEDDER.accept_similarity
    ]
    return {
        "eye_distance_px": round(float(np.median([one.shot.quality.size_px for one in seen])), 1),
        "quality": round(float(np.median([one.shot.quality.score for one in seen])), 3),
        "nearest_is_right": round(
            float(np.mean([one.person == person for one, (person, _) in zip(seen, named, strict=True)])), 4
        ),
        "named_rightly": round(len(right) / len(seen), 4),
    }


def _best_match(embedding: NDArray[np.float32], gallery: dict[str, NDArray[np.float32]]) -> tuple[str, float]:
    similarities = {person: float((vectors @ embedding).max()) for person, vectors in gallery.items()}
    person = max(similarities, key=similarities.__getitem__)
    return person, similarities[person]


def _see_probes(detector: MtcnnDetector, embed: Any) -> Iterator[tuple[Seen, Seen] | None]:
    rng = np.random.default_rng(7)
    for person, roles in people().items():
        for path in roles["probe"][:_PROBES_PER_PERSON]:
            picture = rng.normal(110, 6, (MAIN_WH[1], MAIN_WH[0], 3)).clip(0, 255).astype(np.uint8)
            photo = read_rgb(path)
            left, top = rng.integers(0, MAIN_WH[0] - 250), rng.integers(0, MAIN_WH[1] - 250)
            picture[top : top + photo.shape[0], left : left + photo.shape[1]] = photo
            small = np.asarray(cv2.resize(picture, FRAME_WH, interpolation=cv2.INTER_AREA), dtype=np.uint8)
            frame_jpeg, large_jpeg = encode_jpeg_rgb(small, quality=80), encode_jpeg_rgb(picture, quality=85)
            shots = [_shoot(detector, frame_jpeg, closeup_jpeg) for closeup_jpeg in (None, large_jpeg)]
            if any(shot is None for shot in shots):
                yield None
                continue
            first, second = (
                Seen(person, shot, embed(align_shots([shot], alignment="dlib5", size=FACE_EMBEDDER.size)))
                for shot in shots
                if shot is not None
            )
            yield first, second


def _shoot(detector: MtcnnDetector, frame_jpeg: bytes, closeup_jpeg: bytes | None) -> FaceShot | None:
    """Return the shot that the detector would send of the face in a frame."""
    image = decode_jpeg_rgb(frame_jpeg)
    settings = ShotSettings(min_identity_quality=0)
    pipeline = CameraPipeline(
        "bench", 1, tracking=TrackerSettings(confirm_score=0), shots=settings, search=SearchSettings()
    )
    frame = Frame(frame_id="bench:1:1", jpeg=frame_jpeg, captured_at_ns=10**18, size_wh=FRAME_WH)
    observation = pipeline.observe(frame, detector.detect(image, _CAMERA.min_face_px), image)
    closeup = None
    if closeup_jpeg is not None:
        closeup = Closeup(closeup_jpeg, frame_wh=FRAME_WH, detector=detector, max_pixels=10_000_000)
    taken = pipeline.take_shots(frame, image, observation, _CAMERA, detector, closeup).taken
    return next(iter(taken), None)


def _aligned(detector: MtcnnDetector, path: Path) -> NDArray[np.uint8]:
    image = read_rgb(path)
    found = next(faces for faces in (detector.detect(image, size) for size in (40, 20)) if len(faces))
    # LFW centres the person it names; others may stand beside them.
    centres = (found.boxes_xyxy[:, :2] + found.boxes_xyxy[:, 2:]) / 2
    row = int(np.abs(centres - np.array(image.shape[1::-1]) / 2).sum(axis=1).argmin())
    face = align_face("dlib5", image, found.boxes_xyxy[row], found.landmarks_xy[row], FACE_EMBEDDER.size)
    return face[None]


def _embedder() -> Any:
    core = ov.Core()
    model = core.compile_model(core.read_model(_MODEL), "CPU", {"INFERENCE_NUM_THREADS": 1})

    def embed(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.asarray(model({IMAGES: images})[EMBEDDINGS][0])

    return embed
