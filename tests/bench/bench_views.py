"""What a view must have to be recognised: ``python -m tests.bench.bench_views``.

Photographs of LFW, one of each same-person pair spoilt in one way by one amount: how many are still taken for
the same person, by the default embedder at its own threshold. The limits of ``mien.vision.quality.NEEDED``
follow from it. Needs the real faces beside the repository and the built models; about two minutes. Writes
``docs/measurements/views.json``.
"""

import csv
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.bench.record import write_measurement
from mien.contracts.models import EMBEDDINGS, FACE_EMBEDDER, IMAGES, SIGNATURE
from mien.vision.alignment import align_face
from mien.vision.quality import assess_face
from services.detector.mtcnn import MtcnnDetector
from services.model_server.servable import Servable, load_servable
from tests.faces import read_rgb, require_faces

_EVERY_NTH_PAIR = 5
_MODEL = Path(__file__).parents[2] / "model_repo" / FACE_EMBEDDER.name / "1"
Image = NDArray[np.uint8]


@dataclass(frozen=True)
class View:
    """A face in a picture."""

    image: Image
    box_xyxy: NDArray[np.float32]
    landmarks_xy: NDArray[np.float32]
    score: float

    @property
    def face_px(self) -> float:
        """Longer side of the box."""
        return float((self.box_xyxy[2:] - self.box_xyxy[:2]).max())


def _shrink(view: View, face_px: float) -> View:
    scale = np.float32(face_px / view.face_px)
    image = cv2.resize(view.image, None, fx=float(scale), fy=float(scale), interpolation=cv2.INTER_AREA)
    return View(np.asarray(image, np.uint8), view.box_xyxy * scale, view.landmarks_xy * scale, view.score)


def _compress(view: View, quality: int) -> View:
    jpeg = cv2.imencode(".jpg", view.image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return replace(view, image=np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8))


def _blur(view: View, sigma: float) -> View:
    return replace(view, image=np.asarray(cv2.GaussianBlur(view.image, (0, 0), sigma), np.uint8))


def _smear(view: View, length_px: float) -> View:
    kernel = np.ones((1, int(length_px)), np.float32) / length_px
    return replace(view, image=np.asarray(cv2.filter2D(view.image, -1, kernel), np.uint8))


def _light(view: View, gain: float) -> View:
    return replace(view, image=np.clip(view.image * np.float32(gain), 0, 255).astype(np.uint8))


_SIZES_PX = (93, 80, 70, 58, 47, 35, 29, 23)
_SPOILS: dict[str, tuple[Callable[[View, float], View], tuple[float, ...]]] = {
    "unspoilt": (lambda view, _: view, (0,)),
    "shrunk to px": (_shrink, _SIZES_PX),
    "shrunk to px, JPEG 60": (lambda view, px: _compress(_shrink(view, px), 60), _SIZES_PX),
    "Gaussian blur, sigma px": (_blur, (1, 2, 3, 4)),
    "moved sideways by px": (_smear, (5, 9, 15)),
    "brightness times": (_light, (0.4, 0.3, 0.2, 0.1, 1.5, 2, 3)),
}


def same_person_pairs(detector: MtcnnDetector) -> list[tuple[View, View]]:
    """Return pairs of photographs in which a face was found near the middle of both."""
    folder = require_faces() / "identity" / "lfw"
    with (folder / "pairs.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["same"] == "1"][::_EVERY_NTH_PAIR]
    found = [[_middle_face(detector, read_rgb(folder / row[side])) for side in "ab"] for row in rows]
    return [(a, b) for a, b in found if a is not None and b is not None]


def _middle_face(detector: MtcnnDetector, image: Image) -> View | None:
    faces = detector.detect(image, 40)
    if not len(faces):
        return None
    middle = np.array(image.shape[1::-1]) / 2
    centres = (faces.boxes_xyxy[:, :2] + faces.boxes_xyxy[:, 2:]) / 2
    row = int(np.linalg.norm(centres - middle, axis=1).argmin())
    return View(image, faces.boxes_xyxy[row], faces.landmarks_xy[row], float(faces.scores[row]))


def _embed(embedder: Servable, view: View) -> NDArray[np.float32]:
    face = align_face(
        FACE_EMBEDDER.alignment, view.image, view.box_xyxy, view.landmarks_xy, FACE_EMBEDDER.size
    )
    return np.asarray(embedder.run(SIGNATURE, {IMAGES: face[None]})[EMBEDDINGS][0])


def main() -> None:
    """Measure and write down."""
    cv2.setNumThreads(1)
    embedder = load_servable(_MODEL, inference_threads=1, precision="float32", cache_dir=None)
    pairs = same_person_pairs(MtcnnDetector())
    vectors = [_embed(embedder, whole) for whole, _ in pairs]
    runs: list[dict[str, Any]] = []
    for name, (spoil, amounts) in _SPOILS.items():
        for amount in amounts:
            views = [spoil(view, amount) for _, view in pairs]
            alike = [
                float(_embed(embedder, view) @ vector) for view, vector in zip(views, vectors, strict=True)
            ]
            qualities = [
                assess_face(view.image, view.box_xyxy, view.landmarks_xy, view.score) for view in views
            ]
            share = float(np.mean(np.array(alike) >= FACE_EMBEDDER.accept_similarity))
            run = {
                "spoilt": name,
                "amount": amount,
                "recognised_share": round(share, 3),
                "recognised_share_std": round(float(np.sqrt(share * (1 - share) / len(pairs))), 3),
                "median_face_px": round(float(np.median([view.face_px for view in views])), 1),
            }
            for measure in ("score", "sharpness", "evenness", "brightness"):
                values = [getattr(quality, measure) for quality in qualities]
                run[f"median_{measure}"] = round(float(np.median(values)), 3)
            runs.append(run)
            print(run)
    summary = {
        "pairs": len(pairs),
        "recognised_share_unspoilt": runs[0]["recognised_share"],
        "recognised_share_80_px_jpeg_60": next(
            run["recognised_share"]
            for run in runs
            if run["spoilt"] == "shrunk to px, JPEG 60" and run["amount"] == 80
        ),
    }
    print(write_measurement("views", runs=runs, summary=summary))


if __name__ == "__main__":
    main()
