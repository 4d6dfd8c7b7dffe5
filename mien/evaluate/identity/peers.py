"""The peers of the same run, each in an environment of its own."""

import asyncio
import hashlib
import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.bench.peers import LOCKS, peer_python
from mien.errors import MienError
from mien.evaluate.identity.data import Pair
from mien.evaluate.identity.embeddings import CACHE, OnProgress
from mien.evaluate.identity.verification import ScoredPairs

FACE_RECOGNITION: Final = "face_recognition"
DEEPFACE: Final = "deepface"
_SCRIPTS: Final = Path(__file__).parent
_TIMEOUT_SECONDS: Final = 600
_NOT_FOUND: Final = -10.0
"""A similarity below that of any two faces."""

PeerVectors = dict[Path, NDArray[np.float64] | None]
"""128 values for each picture, not scaled; None where the peer found no face."""


class PeerError(MienError):
    """A peer could not be run."""


async def face_recognition_vectors(paths: Sequence[Path], on_progress: OnProgress) -> PeerVectors:
    """Return what the peer's own detector, landmarks and network make of pictures.

    Raises:
        PeerError: It ended before it had answered.
    """
    kept = CACHE / f"{FACE_RECOGNITION}-{_key(FACE_RECOGNITION, paths)}.json"
    if kept.exists():
        on_progress(len(paths))
        return _decoded(json.loads(kept.read_text()))
    python = await asyncio.to_thread(peer_python, FACE_RECOGNITION)
    with tempfile.TemporaryFile() as questions:
        questions.write("".join(f"{path}\n" for path in paths).encode())
        questions.seek(0)
        process = await asyncio.create_subprocess_exec(
            python,
            _SCRIPTS / "peer_face_recognition.py",
            stdin=questions,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert process.stdout is not None
        answers = []
        try:
            async for line in process.stdout:
                answers.append(json.loads(line))
                on_progress(1)
        finally:
            if process.returncode is None and len(answers) < len(paths):
                process.kill()
            await process.wait()
    if len(answers) != len(paths):
        raise PeerError(f"{FACE_RECOGNITION} ended with {process.returncode} after {len(answers)} pictures")
    CACHE.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(answers))
    return _decoded(answers)


def score_by_distance(pairs: Sequence[Pair], vectors: PeerVectors) -> ScoredPairs:
    """Compare pairs as the peer does, by Euclidean distance, the nearer the more similar."""
    distances = []
    for pair in pairs:
        a, b = vectors[pair.a], vectors[pair.b]
        distances.append(-_NOT_FOUND if a is None or b is None else float(np.linalg.norm(a - b)))
    similarities = -np.array(distances)
    return ScoredPairs(
        similarities,
        same=np.array([pair.same for pair in pairs]),
        folds=np.array([pair.fold for pair in pairs]),
        found=similarities > _NOT_FOUND,
    )


def face_recognition_cpu_ms(crops: NDArray[np.uint8]) -> float:
    """Return the processor time of the peer's network for one aligned face, uint8 RGB (N, 150, 150, 3)."""
    with tempfile.NamedTemporaryFile(suffix=".npy") as file:
        np.save(file.name, crops)
        return _ask(FACE_RECOGNITION, "peer_face_recognition.py", file.name)


def deepface_cpu_ms(faces: int) -> float:
    """Return the processor time of the peer's VGG-Face for one face, with random weights."""
    return _ask(DEEPFACE, "peer_deepface.py", str(faces))


def _ask(peer: str, script: str, argument: str) -> float:
    command = [str(peer_python(peer)), str(_SCRIPTS / script), argument]
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        last_words = str(error.stderr or "")[-500:]
        raise PeerError(f"{peer} did not answer: {last_words or error}") from error
    return float(json.loads(done.stdout.splitlines()[-1]))


def _key(peer: str, paths: Sequence[Path]) -> str:
    digest = hashlib.sha256((LOCKS / f"{peer}.lock").read_bytes())
    digest.update((_SCRIPTS / "peer_face_recognition.py").read_bytes())
    digest.update(repr([(str(path), path.stat().st_size) for path in paths]).encode())
    return digest.hexdigest()[:16]


def _decoded(answers: list[dict[str, object]]) -> PeerVectors:
    return {
        Path(str(answer["path"])): None
        if answer["vector"] is None
        else np.array(answer["vector"], np.float64)
        for answer in answers
    }
