"""How well open eyes, closed eyes and yawns are told apart, and at what size of a face.

There is no public set of tired faces. Closed eyes and yawning drivers stand in for them, so these figures say
how well the *signs* are seen, not how well tiredness is.
"""

import csv
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.contracts.models import EYELIDS, FACE_LANDMARKS, IMAGES, POINTS, PointsSpec
from mien.errors import PermanentError
from mien.local.face_finder import find_faces
from mien.runtime.quiet_openvino import openvino
from mien.vision.alignment import align_face
from mien.vision.eyes import (
    CLOSED_OPENNESS,
    YAWN_OPENNESS,
    cut_eyes,
    eye_aspect_ratio,
    eye_openness,
    mouth_openness,
)

DATA: Final = Path(__file__).parents[3] / "shared" / "data"
EYE_SIDES_PX: Final = (8, 10, 12, 16, 20, 24, 32, 64)
_MODELS: Final = Path(__file__).parents[2] / "model_repo"
_CLIP_FPS: Final = 4.0
_EVERY_LFW: Final = 12
_COST_ROUNDS: Final = 200

Picture = NDArray[np.uint8]
Values = NDArray[np.float32]


@dataclass(frozen=True)
class FaceSeen:
    """What was measured on one face.

    Attributes:
        eyes: Mean openness by ``eyelids``.
        landmark_eyes: The same from the eyes among the 68 landmarks, to compare with.
        eye_distance_px: Between the eyes, pixels of the picture.
    """

    path: str
    eyes: float
    landmark_eyes: float
    mouth: float
    eye_distance_px: float


class PointNetworks:
    """Both networks on one thread, straight from the model repository."""

    def __init__(self) -> None:
        self._core = openvino.Core()
        self.eyelids = self._compiled(EYELIDS)
        self.landmarks = self._compiled(FACE_LANDMARKS)

    def _compiled(self, model: PointsSpec) -> Callable[[Picture], Values]:
        folder = _MODELS / model.name / "1"
        if not (folder / "saved_model.pb").exists():
            raise PermanentError(f"the model {model.name} is not built: run mien models build")
        compiled = self._core.compile_model(
            self._core.read_model(folder),
            "CPU",
            {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1},
        )
        return lambda images: np.array(compiled({IMAGES: images})[POINTS])


def measure_tiredness(
    *, with_clips: bool, advance: Callable[[float], None]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Measure eyes, yawns, clips and cost; returns how far each driver's mouth is open, and the summary.

    Args:
        advance: Told which share of the work has been done since it was last told.

    Raises:
        PermanentError: The labelled pictures or the models are not on this machine.
        LineProcessError: The detector could not be started.
    """
    if not (DATA / "emotion" / "eye_state" / "labels.csv").exists():
        raise PermanentError(
            f"expected labelled eyes and faces in {DATA}/emotion (eye_state, yawdd), found none. They are "
            "pictures of real people for research and no part of the repository"
        )
    networks = PointNetworks()
    by_size = _eyes_by_size(networks)
    advance(0.2)
    drivers = list(_faces(networks, "emotion/yawdd", lambda row: row["kind"] == "face", advance, 0.35))
    passers = list(
        _faces(
            networks, "identity/lfw", lambda row: True, advance, 0.15, every=_EVERY_LFW, table="gallery.csv"
        )
    )
    labels = {row["path"]: row["label"] for row in _rows(DATA / "emotion" / "yawdd" / "labels.csv")}
    clips = [
        _clip_row(networks, path)
        for path in sorted((DATA / "video").glob("*/*.mp4"))
        if with_clips and path.parent.name in ("yawdd", "liveportrait")
    ]
    advance(0.3)
    yawning = [face for face in drivers if labels[face.path] == "yawn"]
    calm = [face for face in drivers if labels[face.path] == "no_yawn"]
    native = by_size[-1]
    summary: dict[str, Any] = {
        "eyes_open_or_closed_accuracy": native["accuracy"],
        "closed_eyes_called_closed": native["closed_found"],
        "open_eyes_called_closed": native["open_called_closed"],
        "auc": native["auc"],
        "closed_openness": CLOSED_OPENNESS,
        "yawns_found": _share([face.mouth >= YAWN_OPENNESS for face in yawning]),
        "calm_drivers_called_yawning": _share([face.mouth >= YAWN_OPENNESS for face in calm]),
        "yawn_auc": round(auc([face.mouth for face in yawning], [face.mouth for face in calm]), 3),
        "yawn_openness": YAWN_OPENNESS,
        "yawning_faces": len(yawning),
        "calm_faces": len(calm),
        "lfw_faces": len(passers),
        "lfw_called_closed": _share([face.eyes < CLOSED_OPENNESS for face in passers]),
        "lfw_called_yawning": _share([face.mouth >= YAWN_OPENNESS for face in passers]),
        "calm_drivers_called_closed": _share([face.eyes < CLOSED_OPENNESS for face in calm]),
        "eyes_by_size": by_size,
        "cpu_ms_per_face": _cost(networks),
    }
    # How far apart yawners' narrowed and others' open eyes are: the landmarks hardly move with the lids.
    summary["eyes_narrowed_by_a_yawn"] = {
        "eyelids auc": round(auc([face.eyes for face in calm], [face.eyes for face in yawning]), 3),
        "face landmarks auc": round(
            auc([face.landmark_eyes for face in calm], [face.landmark_eyes for face in yawning]), 3
        ),
    }
    if clips:
        summary["clips"] = clips
    mouths = {
        words: sorted(round(face.mouth, 3) for face in faces)
        for words, faces in (("yawning", yawning), ("calm", calm))
    }
    runs = [{"drivers_mouth_openness": mouths}]
    return runs, summary


def auc(higher: Sequence[float], lower: Sequence[float]) -> float:
    """Return how often a value of the first is above one of the second; ties count half."""
    a, b = np.asarray(higher)[:, None], np.asarray(lower)[None]
    return float((a > b).mean() + 0.5 * (a == b).mean())


def _eyes_by_size(networks: PointNetworks) -> list[dict[str, Any]]:
    """Return, by the side of the eye's picture, how well open and closed are told apart."""
    folder = DATA / "emotion" / "eye_state"
    rows = _rows(folder / "labels.csv")
    pictures = [(_read_rgb(folder / row["path"]), row["label"] == "closed") for row in rows]
    is_closed = np.array([closed for _, closed in pictures])
    table = []
    for side in EYE_SIDES_PX:
        openness = np.concatenate(
            [eye_openness(networks.eyelids(_shrunk(picture, side)[None])) for picture, _ in pictures]
        )
        called = openness < CLOSED_OPENNESS
        found, wrong = float(called[is_closed].mean()), float(called[~is_closed].mean())
        table.append(
            {
                "eye_distance_px": side,
                "accuracy": round((found + 1 - wrong) / 2, 3),
                "closed_found": round(found, 3),
                "open_called_closed": round(wrong, 3),
                "auc": round(auc(list(openness[~is_closed]), list(openness[is_closed])), 3),
            }
        )
    return table


def _shrunk(picture: Picture, side: int) -> Picture:
    """Return an eye as a camera would show it that has so many pixels between the eyes."""
    small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(
        cv2.resize(small, (EYELIDS.size, EYELIDS.size), interpolation=cv2.INTER_LINEAR), np.uint8
    )


def _faces(
    networks: PointNetworks,
    folder: str,
    wanted: Callable[[dict[str, str]], bool],
    advance: Callable[[float], None],
    share: float,
    *,
    every: int = 1,
    table: str = "labels.csv",
) -> Iterator[FaceSeen]:
    rows = [row for row in _rows(DATA / folder / table) if wanted(row)][::every]
    paths = [DATA / folder / row["path"] for row in rows]
    for row, found in zip(rows, find_faces(paths), strict=True):
        advance(share / len(rows))
        if found.boxes_xyxy:
            yield _look(
                networks, row["path"], _read_rgb(Path(found.path)), found.boxes_xyxy[0], found.landmarks_xy[0]
            )


def _look(networks: PointNetworks, name: str, picture: Picture, box: Any, landmarks: Any) -> FaceSeen:
    box_xyxy, landmarks_xy = np.array(box, np.float32), np.array(landmarks, np.float32)
    lids = networks.eyelids(cut_eyes(picture, landmarks_xy, EYELIDS.size))
    face = align_face("square15", picture, box_xyxy, landmarks_xy, FACE_LANDMARKS.size)
    points = networks.landmarks(face[None])
    return FaceSeen(
        path=name,
        eyes=float(eye_openness(lids).mean()),
        landmark_eyes=float(eye_aspect_ratio(points)[0]),
        mouth=float(mouth_openness(points)[0]),
        eye_distance_px=float(np.linalg.norm(landmarks_xy[1] - landmarks_xy[0])),
    )


def _clip_row(networks: PointNetworks, path: Path) -> dict[str, Any]:
    """Follow the largest face of a clip at the rate at which tiredness is sampled."""
    with TemporaryDirectory() as folder:
        stills = _write_stills(path, Path(folder))
        faces = [
            _look(
                networks, path.name, _read_rgb(Path(found.path)), found.boxes_xyxy[0], found.landmarks_xy[0]
            )
            for found in find_faces(stills)
            if found.boxes_xyxy
        ]
    wide = longest = 0
    for face in faces:
        wide = wide + 1 if face.mouth >= YAWN_OPENNESS else 0
        longest = max(longest, wide)
    return {
        "clip": f"{path.parent.name}/{path.stem}",
        "seconds": round(len(stills) / _CLIP_FPS, 1),
        "faces": len(faces),
        "eye_distance_px": round(float(np.median([face.eye_distance_px for face in faces] or [0]))),
        "perclos": _share([face.eyes < CLOSED_OPENNESS for face in faces]),
        "mouth_wide_longest_seconds": round(max(longest - 1, 0) / _CLIP_FPS, 2),
    }


def _write_stills(path: Path, folder: Path) -> list[Path]:
    video = cv2.VideoCapture(str(path))
    step, number = (video.get(cv2.CAP_PROP_FPS) or 25.0) / _CLIP_FPS, 0
    stills: list[Path] = []
    while True:
        ok, frame = video.read()
        if not ok:
            break
        if number >= len(stills) * step:
            stills.append(folder / f"{number}.jpg")
            cv2.imwrite(str(stills[-1]), frame)
        number += 1
    video.release()
    return stills


def _cost(networks: PointNetworks) -> dict[str, float]:
    """Return the processor time of a face: two eyes, and one face."""
    costs = {}
    for name, network, shape in (
        ("eyelids", networks.eyelids, (2, EYELIDS.size, EYELIDS.size, 3)),
        ("face landmarks", networks.landmarks, (1, FACE_LANDMARKS.size, FACE_LANDMARKS.size, 3)),
    ):
        images = np.random.default_rng(7).integers(0, 256, shape, dtype=np.uint8)
        network(images)
        started = time.process_time()
        for _ in range(_COST_ROUNDS):
            network(images)
        costs[name] = round((time.process_time() - started) / _COST_ROUNDS * 1e3, 2)
    return costs


def _share(hits: Sequence[bool]) -> float:
    return round(float(np.mean(hits)), 3) if hits else 0.0


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _read_rgb(path: Path) -> Picture:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if picture is None:
        raise PermanentError(f"expected a picture in {path}, got something that does not decode")
    return np.asarray(picture, np.uint8)
