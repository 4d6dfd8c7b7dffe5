"""What networks say of aligned faces, in the five columns of EMOTIONS, and what a face costs them.

Answers are probabilities, float (N, 5). A network that doesn't know *tired* has 0 there; what it knows beyond
the five (fear, disgust, surprise) is left out and the rest made to add up to 1, which is to its advantage.
"""

import hashlib
import json
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien.bench.peers import LOCKS, locked_version, peer_python
from mien.contracts.models import EMOTION_CLASSIFIER, EMOTIONS, IMAGES, PROBABILITIES
from mien.errors import MienError, PermanentError
from mien.runtime.quiet_openvino import openvino
from mien.training.emotion_faces import RECIPE_FACES
from mien.training.emotion_figures import softmax
from model_repo import repository, saved_model
from model_repo.emotion_classifier.features import FEATURES, MARGIN, build_features
from model_repo.sources import FACE_API, HUMAN, file_sha256

_BATCH: Final = 16
_HUMAN_LABELS: Final = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
_TIMEOUT_SECONDS: Final = 900
_TINY: Final = 1e-9

Answers = NDArray[np.float32]


class PeerError(MienError):
    """A peer could not be run."""


@dataclass(frozen=True)
class Reading:
    """What a network said.

    Attributes:
        cpu_ms: Processor time of a face, one thread, in the batches that the worker sends; for peers, as
            their users ask them.
    """

    answers: Answers
    cpu_ms: float


class Compiled:
    """A SavedModel on one thread of the engine that serves it."""

    def __init__(self, folder: Path) -> None:
        if not (folder / "saved_model.pb").is_file():
            raise PermanentError(f"{folder}: expected a model there; run: mien models build")
        self._network = openvino.Core().compile_model(
            str(folder), "CPU", {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"}
        )

    def run(self, images_rgb: NDArray[np.uint8], output: str) -> NDArray[np.float32]:
        """Return an output for all faces, N at least 1."""
        return np.concatenate(
            [
                np.array(self._network({IMAGES: images_rgb[start : start + _BATCH]})[output], np.float32)
                for start in range(0, len(images_rgb), _BATCH)
            ]
        )

    def cpu_ms(self, images_rgb: NDArray[np.uint8], output: str) -> float:
        """Return the processor time of a face; the first batch is run once more before the clock starts."""
        self.run(images_rgb[:_BATCH], output)
        before = time.process_time()
        self.run(images_rgb, output)
        return 1000 * (time.process_time() - before) / len(images_rgb)


def read_own(
    model_repo: Path, version: int, images_rgb: NDArray[np.uint8], sample: NDArray[np.uint8]
) -> Reading:
    """Ask a version of our own model; version 1 is face-api's expression network."""
    folder = model_repo / EMOTION_CLASSIFIER.name / str(version)
    network = Compiled(folder)
    answers = _kept(
        f"own-{file_sha256(folder / 'saved_model.pb')}",
        images_rgb,
        lambda: network.run(images_rgb, PROBABILITIES),
    )
    return Reading(_over_five(answers[:, : len(EMOTIONS)]), network.cpu_ms(sample, PROBABILITIES))


def read_human(model_repo: Path, images_rgb: NDArray[np.uint8]) -> Reading:
    """Ask the emotion network of `human`, as the strong network has it inside; its cost is not told apart."""
    packages = [repository.fetch_package(package, model_repo) for package in (FACE_API, HUMAN)]

    def ask() -> NDArray[np.float32]:
        with tempfile.TemporaryDirectory(prefix="mien-features-") as folder:
            saved_model.write(build_features(*packages), Path(folder))
            scores = Compiled(Path(folder)).run(images_rgb, FEATURES)[:, -len(_HUMAN_LABELS) :]
        return np.asarray(softmax(scores), np.float32)

    answers = _kept(f"human-{HUMAN.sha256}", images_rgb, ask)
    return Reading(_in_columns(answers, _HUMAN_LABELS), float("nan"))


def read_fer(images_rgb: NDArray[np.uint8]) -> Reading:
    """Ask the peer `fer`, in its own environment.

    Raises:
        PeerError: It did not answer.
    """
    script = Path(__file__).with_name("peer_fer.py")
    state = hashlib.sha256((LOCKS / "fer.lock").read_bytes() + script.read_bytes()).hexdigest()[:16]
    kept = RECIPE_FACES / f"fer-{state}-{_digest(images_rgb)}.json"
    if not kept.exists():
        with tempfile.NamedTemporaryFile(suffix=".npy") as file:
            np.save(file.name, images_rgb)
            command = [str(peer_python("fer")), str(script), file.name, str(MARGIN)]
            try:
                done = subprocess.run(
                    command, check=True, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS
                )
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
                last_words = str(error.stderr or "")[-500:]
                raise PeerError(f"fer did not answer: {last_words or error}") from error
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(done.stdout.splitlines()[-1])
    told: dict[str, Any] = json.loads(kept.read_text())
    scores = np.array(told["scores"], np.float32)
    return Reading(_in_columns(scores, told["labels"]), float(told["cpu_ms"]))


def fer_version() -> str:
    """Return the version that is measured."""
    return locked_version("fer", "fer")


def _in_columns(scores: NDArray[np.float32], labels: Sequence[str]) -> Answers:
    columns = np.zeros((len(scores), len(EMOTIONS)), np.float32)
    for column, label in enumerate(EMOTIONS):
        if label in labels:
            columns[:, column] = scores[:, list(labels).index(label)]
    return _over_five(columns)


def _over_five(columns: NDArray[np.float32]) -> Answers:
    sums = columns.sum(axis=1, keepdims=True)
    return np.asarray(columns / np.maximum(sums, _TINY), np.float32)


def _kept(name: str, images_rgb: NDArray[np.uint8], ask: Any) -> NDArray[np.float32]:
    path = RECIPE_FACES / f"{name[:24]}-{_digest(images_rgb)}.npy"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        with draft.open("wb") as file:
            np.save(file, ask())
        draft.replace(path)
    return np.asarray(np.load(path), np.float32)


def _digest(images_rgb: NDArray[np.uint8]) -> str:
    return hashlib.sha256(images_rgb.tobytes()).hexdigest()[:16]
