"""What networks say of aligned faces, in the five columns of EMOTIONS, and what a face costs them.

Answers are probabilities, float (N, 5). A network that doesn't know *tired* has 0 there. What falls on
expressions beyond the five (fear, disgust, surprise) is left out: the five add up to 1 or less.
"""

import hashlib
import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien.bench.peers import LOCKS, locked_version, peer_python
from mien.contracts.models import EMOTION_CLASSIFIER, EMOTION_LABELS, EMOTIONS, IMAGES, PROBABILITIES
from mien.errors import MienError, PermanentError
from mien.runtime.quiet_openvino import openvino
from mien.training.emotion_faces import RECIPE_FACES
from mien.training.emotion_figures import softmax
from model_repo import repository, saved_model
from model_repo.emotion_classifier.features import FEATURES, HUMAN_LABELS, MARGIN, build_human
from model_repo.sources import HUMAN, file_sha256

_BATCH: Final = 16
_TIMEOUT_SECONDS: Final = 900

Answers = NDArray[np.float32]
Images = NDArray[np.uint8]


class PeerError(MienError):
    """A peer could not be run."""


@dataclass(frozen=True)
class Reading:
    """What a network said.

    Attributes:
        answers: Float (N, 5).
        cpu_ms: Processor time of a face by round, one thread: in our engine in the batches that the worker
            sends, `fer` face by face, as its users ask it.
    """

    answers: Answers
    cpu_ms: list[float] = field(default_factory=list)


class EngineNetwork:
    """A SavedModel on one thread of the engine that serves it, in float32.

    Args:
        folder: Of a version.
        columns: Meaning of the output's columns.
        scores: Whether the output still lacks its softmax.

    Raises:
        PermanentError: There is no model.
    """

    def __init__(self, folder: Path, output: str, columns: Sequence[str], *, scores: bool = False) -> None:
        if not (folder / "saved_model.pb").is_file():
            raise PermanentError(f"{folder}: expected a model there; run: mien models build")
        self._digest = file_sha256(folder / "saved_model.pb")
        self._network = openvino.Core().compile_model(
            str(folder), "CPU", {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"}
        )
        self._output, self._columns, self._scores = output, columns, scores

    def read(self, images_rgb: Images) -> Reading:
        """Return the answers about faces, from an earlier evaluation if that had the same."""
        raw = _kept(f"network-{self._digest[:16]}-{_digest(images_rgb)}", lambda: self._run(images_rgb))
        return Reading(_in_columns(softmax(raw) if self._scores else raw, self._columns))

    def cpu_ms(self, images_rgb: Images) -> float:
        """Return the processor time of a face; the first batch is run once more before the clock starts."""
        self._run(images_rgb[:_BATCH])
        before = time.process_time()
        self._run(images_rgb)
        return 1000 * (time.process_time() - before) / len(images_rgb)

    def _run(self, images_rgb: Images) -> NDArray[np.float32]:
        batches = range(0, len(images_rgb), _BATCH)
        outputs = (self._network({IMAGES: images_rgb[one : one + _BATCH]})[self._output] for one in batches)
        return np.concatenate([np.array(output, np.float32) for output in outputs])


def served_network(model_repo: Path, version: int) -> EngineNetwork:
    """Return a version of our own model; version 1 is face-api's expression network.

    Raises:
        PermanentError: There is no such version.
    """
    folder = model_repo / EMOTION_CLASSIFIER.name / str(version)
    return EngineNetwork(folder, PROBABILITIES, EMOTION_LABELS)


def human_network(model_repo: Path) -> EngineNetwork:
    """Return the emotion network of `human`, in our engine.

    Raises:
        DownloadError: The package can't be had.
    """
    files = repository.fetch_package(HUMAN, model_repo)
    with tempfile.TemporaryDirectory(prefix="mien-human-") as folder:
        saved_model.write(build_human(files), Path(folder))
        return EngineNetwork(Path(folder), FEATURES, HUMAN_LABELS, scores=True)


def read_fer(images_rgb: Images, sample: Images, rounds: int) -> Reading:
    """Ask the peer `fer`, in its own environment; the time of a face is taken on *sample*.

    Raises:
        PeerError: It did not answer.
    """
    script = Path(__file__).with_name("peer_fer.py")
    state = hashlib.sha256((LOCKS / "fer.lock").read_bytes() + script.read_bytes()).hexdigest()[:16]
    told: dict[str, Any] = {}

    def ask(images: Images) -> NDArray[np.float32]:
        told.update(_ask_fer(script, images))
        return np.array(told["scores"], np.float32)

    answers = _kept(f"fer-{state}-{MARGIN}-{_digest(images_rgb)}", lambda: ask(images_rgb))
    costs = []
    for _ in range(rounds):
        ask(sample)
        costs.append(float(told["cpu_ms"]))
    return Reading(_in_columns(answers, told["labels"]), costs)


def _ask_fer(script: Path, images_rgb: Images) -> dict[str, Any]:
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
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def fer_version() -> str:
    """Return the version that is measured."""
    return locked_version("fer", "fer")


def _in_columns(probabilities: NDArray[Any], labels: Sequence[str]) -> Answers:
    columns = np.zeros((len(probabilities), len(EMOTIONS)), np.float32)
    for column, label in enumerate(EMOTIONS):
        if label in labels:
            columns[:, column] = probabilities[:, list(labels).index(label)]
    return columns


def _kept(name: str, ask: Callable[[], NDArray[np.float32]]) -> NDArray[np.float32]:
    path = RECIPE_FACES / f"{name}.npy"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        with draft.open("wb") as file:
            np.save(file, ask())
        draft.replace(path)
    return np.asarray(np.load(path), np.float32)


def _digest(images_rgb: Images) -> str:
    return hashlib.sha256(images_rgb.tobytes()).hexdigest()[:16]
