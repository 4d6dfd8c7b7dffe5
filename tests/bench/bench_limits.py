"""What an embedder's similarities mean: ``python -m tests.bench.bench_limits``, in about two minutes.

Whoever changes an embedder, an alignment or the detector's landmarks measures anew what stands in
``mien.contracts.recognition``: how alike faces of different people get, which shot is somebody else's than
its track's, and when two visits are one stranger's. On LFW, with the vectors that ``mien evaluate identity``
has kept where it ran before.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from mien.contracts.models import EMBEDDERS, SERVED_EMBEDDERS
from mien.contracts.recognition import Rules, SimilarityLimits, StrangerMember, StrangersJoined, limits_of
from mien.evaluate.identity import data
from mien.evaluate.identity.embeddings import combined, embed_faces, labelled_faces
from mien.evaluate.identity.run import MIN_FACES_PX
from mien.local.model_server import running_model_server
from mien.runtime.serving import ServingClient
from mien.vision.similarity import Vector, encode_vector, unit
from model_repo import repository
from model_repo.sources import file_sha256
from services.recognizer.clustering import StrangerIndex

_RATES = (0.1, 0.01, 0.001, 0.0001, 0.00001)
_DRAWS = 3
_PEOPLE, _MOST_VISITS = 200, 6
_LEAST_QUALITY = 0.25
"""Below it the detector sends no shot on."""


@dataclass(frozen=True)
class LabelledVectors:
    """Photos of people: arrays in parallel, vectors (N, dimensions) of norm 1."""

    people: NDArray[np.str_]
    quality: NDArray[np.float32]
    vectors: NDArray[np.float32]


@dataclass(frozen=True)
class Visit:
    """What a few photos of a person come to."""

    person: str
    vector: Vector
    quality: float


def impostor_similarities(faces: LabelledVectors) -> list[float]:
    """Return the similarity that pairs of different people reach at each of the rates."""
    first, second = np.triu_indices(len(faces.people), k=1)
    of_two = faces.people[first] != faces.people[second]
    similarities = (faces.vectors @ faces.vectors.T)[first[of_two], second[of_two]]
    return [float(np.quantile(similarities, 1 - rate)) for rate in _RATES]


def disagreements(faces: LabelledVectors, threshold: float) -> tuple[float, float]:
    """Return the shares of photos, the person's own and another's, that are unlike the mean of two others."""
    own, other = [], []
    for seed in range(_DRAWS):
        generator = np.random.default_rng(seed)
        for rows in _rows_by_person(faces).values():
            for one, *two in _batched(generator.permutation(rows), 3):
                stranger = int(generator.integers(len(faces.people)))
                if len(two) < 2 or faces.quality[one] < _LEAST_QUALITY:
                    continue
                mean = _visit(faces, two).vector
                own.append(faces.vectors[one] @ mean < threshold)
                if faces.people[stranger] != faces.people[one] and faces.quality[stranger] >= _LEAST_QUALITY:
                    other.append(faces.vectors[stranger] @ mean < threshold)
    return float(np.mean(own)), float(np.mean(other))


def strangers(
    faces: LabelledVectors, limits: SimilarityLimits, *, shots: int, seed: int
) -> tuple[float, float]:
    """Return how pure the strangers are that people's visits come to, and how many each person becomes."""
    index = StrangerIndex(dimensions=faces.vectors.shape[1], model_version=1)
    joined: list[StrangersJoined] = []
    rules, person_of = Rules(), {}
    for number, visit in enumerate(_visits(faces, shots=shots, seed=seed)):
        match = index.nearest(visit.vector)
        is_back = match is not None and match.similarity >= limits.stranger_similarity
        member = StrangerMember(
            member_id=f"visit-{number}", stranger_id=match.stranger_id if match and is_back else f"s{number}",
            camera_id="door", model="bench", model_version=1, vector=encode_vector(visit.vector),
            quality=visit.quality, seen_at_ns=number + 1,
        )  # fmt: skip
        index.put(member)
        person_of[member.member_id] = visit.person
        twin = index.twin_of(member.stranger_id, similarity=limits.twin_similarity)
        if twin is not None:
            older, younger = index.older_of(member.stranger_id, twin)
            joined.append(StrangersJoined(stranger_id=younger, into_stranger_id=older))
            rules = Rules.of(joined, generation=number)
            index.regroup(rules)
    people_of: dict[str, list[str]] = defaultdict(list)
    for member in index.members.values():
        people_of[rules.root_of(member.stranger_id)].append(person_of[member.member_id])
    pure = sum(max(map(people.count, people)) for people in people_of.values())
    numbers = [sum(person in people for people in people_of.values()) for person in set(person_of.values())]
    return pure / len(person_of), fmean(numbers)


def _visits(faces: LabelledVectors, *, shots: int, seed: int) -> Iterator[Visit]:
    generator = np.random.default_rng(seed)
    visitors = [rows for rows in _rows_by_person(faces).values() if len(rows) >= 2 * shots]
    groups = [
        group
        for person in generator.permutation(len(visitors))[:_PEOPLE]
        for group in _batched(generator.permutation(visitors[person]), shots)[:_MOST_VISITS]
        if len(group) == shots
    ]
    for turn in generator.permutation(len(groups)):
        yield _visit(faces, groups[turn])


def _visit(faces: LabelledVectors, rows: Sequence[int]) -> Visit:
    chosen = list(rows)
    weights = np.maximum(faces.quality[chosen], 0.01)
    mean = np.average(faces.vectors[chosen], axis=0, weights=weights).astype(np.float32)
    return Visit(str(faces.people[chosen[0]]), unit(mean), float(faces.quality[chosen].max()))


def _batched(rows: NDArray[np.int64], size: int) -> list[list[int]]:
    return [rows[start : start + size].tolist() for start in range(0, len(rows), size)]


def _rows_by_person(faces: LabelledVectors) -> dict[str, NDArray[np.int64]]:
    return {str(person): np.flatnonzero(faces.people == person) for person in np.unique(faces.people)}


async def lfw_vectors() -> dict[str, LabelledVectors]:
    """Return the faces of LFW by every embedder."""

    def ignore(_: int) -> None: ...

    faces = labelled_faces(data.lfw_pictures(), min_faces_px=MIN_FACES_PX, on_progress=ignore)
    people = np.array([Path(face.path).parent.name for face in faces])
    quality = np.array([face.quality for face in faces], np.float32)
    by_model = {}
    async with running_model_server(repository.ROOT) as server, ServingClient(server.address) as serving:
        for model in SERVED_EMBEDDERS:
            sha256 = await asyncio.to_thread(
                file_sha256, repository.ROOT / model.name / "1" / "saved_model.pb"
            )
            by_model[model.name] = await embed_faces(
                faces, model, serving, version=1, model_sha256=sha256, on_progress=ignore
            )
    paths = [Path(face.path) for face in faces]
    return {
        name: LabelledVectors(people, quality, combined(embedder, faces, by_model).of(paths))
        for name, embedder in EMBEDDERS.items()
    }


def main() -> None:
    """Print what the limits in use come to, and the similarities of different people."""
    table = Table("embedder", "what", "measured", "in use", title="Limits of embedders, on LFW")
    for name, faces in asyncio.run(lfw_vectors()).items():
        limits = limits_of(name)
        measured = " ".join(f"{value:.4f}" for value in impostor_similarities(faces))
        in_use = " ".join(map(str, limits.impostor_similarities))
        table.add_row(name, "impostor_similarities", measured, in_use)
        own, other = disagreements(faces, limits.disagree_similarity)
        what = f"own {own:.2%}, another's {other:.1%} below"
        table.add_row("", "disagree_similarity", what, str(limits.disagree_similarity))
        for shots in (2, 1):
            drawn = [strangers(faces, limits, shots=shots, seed=seed) for seed in range(_DRAWS)]
            purities, numbers = zip(*drawn, strict=True)
            table.add_row(
                "",
                f"strangers, {shots} photos a visit",
                f"purity {min(purities):.3f} to {max(purities):.3f}, "
                f"{min(numbers):.2f} to {max(numbers):.2f} per person",
                f"{limits.stranger_similarity} / {limits.twin_similarity}",
            )
    Console().print(table)


if __name__ == "__main__":
    main()
