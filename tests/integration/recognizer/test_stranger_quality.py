"""Strangers of real faces: no two people under one number, and about one number per person."""

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from mien.contracts.models import FACE_EMBEDDER
from mien.contracts.recognition import StrangerMember, limits_of
from mien.runtime.quiet_openvino import openvino as ov
from mien.vision.alignment import align_face
from mien.vision.similarity import Vector, encode_vector, unit
from services.detector.mtcnn import MtcnnDetector
from services.recognizer.clustering import StrangerIndex
from tests.faces import people, read_rgb
from tests.stack import cannot_run

MODEL = Path(__file__).parents[3] / "model_repo" / FACE_EMBEDDER.name / "1"
PEOPLE, VISITS, SHOTS = 20, 3, 2


@pytest.fixture(scope="module")
def visits() -> list[tuple[str, Vector]]:
    """Visits of two photos each, of people in turn: everybody comes back after everybody else."""
    if not (MODEL / "saved_model.pb").exists():
        cannot_run("the embedder is not built: run `mien models build`")
    embedder = ov.Core().compile_model(str(MODEL), "CPU", {"INFERENCE_NUM_THREADS": 1})
    detector = MtcnnDetector()

    def vector_of(path: Path) -> Vector:
        picture = read_rgb(path)
        found = detector.detect(picture, 40)
        centre = np.array(picture.shape[1::-1]) / 2
        middle = (found.boxes_xyxy[:, :2] + found.boxes_xyxy[:, 2:]) / 2
        row = int(np.abs(middle - centre).sum(axis=1).argmin())
        face = align_face(
            FACE_EMBEDDER.alignment,
            picture,
            found.boxes_xyxy[row],
            found.landmarks_xy[row],
            FACE_EMBEDDER.size,
        )
        return np.asarray(embedder(face[np.newaxis])[0][0], dtype=np.float32)

    wanted = VISITS * SHOTS
    photos = {name: [*of["enroll"], *of["probe"]][:wanted] for name, of in people().items()}
    chosen = sorted(name for name, paths in photos.items() if len(paths) == wanted)[:PEOPLE]
    return [
        (
            name,
            unit(
                np.mean([vector_of(path) for path in photos[name][turn * SHOTS : (turn + 1) * SHOTS]], axis=0)
            ),
        )
        for turn in range(VISITS)
        for name in chosen
    ]


def test_strangers_are_pure_and_hardly_split(visits: list[tuple[str, Vector]]) -> None:
    """Of 20 people who come three times each."""
    limits = limits_of(FACE_EMBEDDER.name)
    index = StrangerIndex(dimensions=FACE_EMBEDDER.dimensions, model_version=1)
    people_of: dict[str, set[str]] = defaultdict(set)
    for number, (name, vector) in enumerate(visits):
        match = index.nearest(vector)
        is_back = match is not None and match.similarity >= limits.stranger_similarity
        stranger_id = match.stranger_id if match and is_back else f"s{number}"
        people_of[stranger_id].add(name)
        index.put(
            StrangerMember(
                member_id=f"v{number}", stranger_id=stranger_id, camera_id="door", model=FACE_EMBEDDER.name,
                model_version=1, vector=encode_vector(vector), quality=0.8, seen_at_ns=number,
            )
        )  # fmt: skip
    assert [names for names in people_of.values() if len(names) > 1] == []
    assert len(people_of) <= 1.2 * PEOPLE
