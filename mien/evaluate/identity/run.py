"""``mien evaluate identity``: from labelled pictures to figures."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from rich.progress import Progress

from mien.contracts.models import EMBEDDERS, FACE_EMBEDDER, FACE_EMBEDDER_FUSED, Embedder, EmbedderSpec
from mien.errors import PermanentError
from mien.evaluate.identity import cost, data, peers, precision, report
from mien.evaluate.identity.embeddings import (
    AlignedPictures,
    Face,
    Vectors,
    combined,
    embed_faces,
    labelled_faces,
)
from mien.evaluate.identity.verification import ScoredPairs, fold_accuracies, score_pairs
from mien.local.model_server import RunningModelServer, running_model_server
from mien.runtime.embedders import as_spec, imported_embedders
from mien.runtime.serving import ServingClient
from model_repo import repository
from model_repo.sources import file_sha256

MIN_FACES_PX: Final = (40, 20)
"""As for photos that are enrolled: the second where there is none of the first."""
COST_FACES: Final = 128
COST_ROUNDS: Final = 3
VGG_FACE_FACES: Final = 16


@dataclass(frozen=True)
class Options:
    """What to evaluate.

    Attributes:
        embedders: Names; empty for every embedder that is here.
        with_peers: Also run the peers, and VGG-Face for its cost.
    """

    embedders: tuple[str, ...] = ()
    with_peers: bool = True
    rounds: int = COST_ROUNDS
    model_repo: Path = repository.ROOT


@dataclass(frozen=True)
class _Present:
    """An embedder that can be evaluated, and the version of its model where it is one."""

    embedder: Embedder
    version: int = 1


def evaluate(options: Options, progress: Progress) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return what was measured and its summary; also draws the picture of all embedders and peers.

    Raises:
        DataMissingError: The labelled faces are not here.
        PermanentError: There is no such embedder.
    """
    data.require_data()
    return asyncio.run(_Evaluation(options, progress).run())


class _Evaluation:
    def __init__(self, options: Options, progress: Progress) -> None:
        self._options = options
        self._progress = progress
        self._present = _choose(options)
        models = {
            part.model.name: (part.model, part.version or one.version)
            for one in self._present
            for part in one.embedder.parts
        }
        self._models: list[tuple[EmbedderSpec, int]] = list(models.values())
        self._pairs = data.lfw_pairs()
        self._faces: dict[str, list[Face]] = {}
        self._vectors: dict[tuple[str, str], Vectors] = {}

    async def run(self) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        self._find_faces()
        pictures = sorted({path for pair in self._pairs for path in (pair.a, pair.b)})
        async with AsyncExitStack() as stack:
            server = await stack.enter_async_context(running_model_server(self._options.model_repo))
            serving = await stack.enter_async_context(ServingClient(server.address))
            peer = None
            if self._options.with_peers:
                told = self._task("face_recognition (peer)", len(pictures))
                peer = asyncio.create_task(peers.face_recognition_vectors(pictures, told))
            await self._embed(serving)
            scored = {
                one.embedder.name: score_pairs(self._pairs, self._vectors["lfw", one.embedder.name])
                for one in self._present
            }
            peer_scored = None if peer is None else peers.score_by_distance(self._pairs, await peer)
            costs = await self._costs(server, serving)
        lower_precision = await self._lower_precision(costs)
        peer_costs = await self._peer_costs() if self._options.with_peers else {}
        roc = scored | ({"face_recognition": peer_scored} if peer_scored else {})
        report.plot_roc(roc)
        open_set = {
            one.embedder.name: report.open_set_rows(one.embedder, self._vectors["lfw", one.embedder.name])
            for one in self._present
        }
        summary = self._summary(scored, costs, open_set)
        summary["fastest_precision"] = lower_precision
        if peer_scored is not None:
            summary["peers"] = _peer_rows(peer_scored, peer_costs, costs)
        record = {
            "lfw_accuracy_by_fold": {name: fold_accuracies(one) for name, one in roc.items()},
            "cpu_ms_per_face_by_round": {**costs, **peer_costs},
            "open_set": [row for rows in open_set.values() for row in rows],
        }
        return [record], summary

    def _find_faces(self) -> None:
        sets = {"lfw": data.lfw_pictures()}
        for name in data.SMALL_SETS:
            sets[name] = [path for paths in data.small_set(name).values() for path in paths]
        for name, paths in sets.items():
            told = self._task(f"faces of {name}", len(paths))
            self._faces[name] = labelled_faces(paths, min_faces_px=MIN_FACES_PX, on_progress=told)

    async def _embed(self, serving: ServingClient) -> None:
        by_set: dict[str, dict[str, Vectors]] = {name: {} for name in self._faces}
        for model, version in self._models:
            sha256 = await self._sha256(model, version)
            told = self._task(model.name, sum(map(len, self._faces.values())))
            for name, faces in self._faces.items():
                by_set[name][model.name] = await embed_faces(
                    faces, model, serving, version=version, model_sha256=sha256, on_progress=told
                )
        for name, faces in self._faces.items():
            for one in self._present:
                self._vectors[name, one.embedder.name] = combined(one.embedder, faces, by_set[name])

    async def _costs(self, server: RunningModelServer, serving: ServingClient) -> dict[str, list[float]]:
        told = self._task("cost of a face", self._options.rounds * len(self._models))
        sample = AlignedPictures(self._faces["lfw"][:COST_FACES])
        by_model: dict[str, list[float]] = {model.name: [] for model, _ in self._models}
        for _ in range(self._options.rounds):
            for model, version in self._models:
                crops = sample(alignment=model.alignment, size=model.size)
                by_model[model.name].append(
                    await cost.cpu_ms_per_face(model, version, crops, server, serving)
                )
                told(1)
        return {one.embedder.name: cost.fused_costs(one.embedder, by_model) for one in self._present}

    async def _lower_precision(self, costs: dict[str, list[float]]) -> list[dict[str, Any]]:
        chosen = [(model, version) for model, version in self._models if model.name in costs]
        told = self._task("fastest precision", len(chosen) * len(self._faces["lfw"]))
        async with (
            running_model_server(self._options.model_repo, precision.FASTEST) as server,
            ServingClient(server.address) as serving,
        ):
            rows = []
            for model, version in chosen:
                vectors = await embed_faces(
                    self._faces["lfw"],
                    model,
                    serving,
                    version=version,
                    model_sha256=f"{await self._sha256(model, version)} {precision.FASTEST}",
                    on_progress=told,
                )
                sample = AlignedPictures(self._faces["lfw"][:COST_FACES])
                crops = sample(alignment=model.alignment, size=model.size)
                spent = [
                    await cost.cpu_ms_per_face(model, version, crops, server, serving)
                    for _ in range(self._options.rounds)
                ]
                exact = self._vectors["lfw", model.name]
                rows.append(
                    precision.lower_precision_row(
                        model.name, self._pairs, vectors, spent, exact, costs[model.name]
                    )
                )
            return rows

    async def _sha256(self, model: EmbedderSpec, version: int) -> str:
        saved_model = self._options.model_repo / model.name / str(version) / "saved_model.pb"
        return await asyncio.to_thread(file_sha256, saved_model)

    async def _peer_costs(self) -> dict[str, list[float]]:
        told = self._task("cost of a face, peers", 2 * self._options.rounds + 1)
        crops = AlignedPictures(self._faces["lfw"][:COST_FACES])(alignment="dlib5", size=FACE_EMBEDDER.size)
        costs: dict[str, list[float]] = {
            peers.FACE_RECOGNITION: [],
            peers.DEEPFACE: [],
            cost.VGG_FACE.name: [],
        }
        for _ in range(self._options.rounds):
            costs[peers.FACE_RECOGNITION].append(
                await asyncio.to_thread(peers.face_recognition_cpu_ms, crops)
            )
            told(1)
        with cost.random_vgg_face() as folder:
            async with running_model_server(folder) as server, ServingClient(server.address) as serving:
                sample = AlignedPictures(self._faces["lfw"][:VGG_FACE_FACES])
                crops = sample(alignment=cost.VGG_FACE.alignment, size=cost.VGG_FACE.size)
                for _ in range(self._options.rounds):
                    spent = await cost.cpu_ms_per_face(cost.VGG_FACE, 1, crops, server, serving)
                    costs[cost.VGG_FACE.name].append(spent)
                    told(1)
        costs[peers.DEEPFACE].append(await asyncio.to_thread(peers.deepface_cpu_ms, VGG_FACE_FACES))
        told(1)
        return costs

    def _summary(
        self,
        scored: dict[str, ScoredPairs],
        costs: dict[str, list[float]],
        open_set: dict[str, list[report.Row]],
    ) -> dict[str, Any]:
        names = [one.embedder.name for one in self._present]
        rows = {
            name: report.accuracy_row(name, scored[name], self._vectors["lfw", name], costs[name])
            for name in names
        }
        first = names[0]
        summary: dict[str, Any] = {
            "embedder": first,
            **{key: rows[first][key] for key in ("lfw_accuracy", "lfw_accuracy_std", "tar_at_far_0_001")},
            "lfw_accuracy_best_setting": max(row["lfw_accuracy"] for row in rows.values()),
            "closed_set_accuracy_18_people": rows[first]["closed_set_18_people_two_photos"],
            "closed_set_accuracy_18_people_one_photo": rows[first]["closed_set_18_people_one_photo"],
            "open_set_dir_at_far_0_01": open_set[first][0]["dir_one_photo"],
            "faces_per_second_per_core": round(1000 / median(costs[first]), 1),
            "lfw_pictures_without_a_found_face": self._missing(),
            "embedders": list(rows.values()),
            "as_shipped": [self._as_shipped(one.embedder) for one in self._present],
            "other_sets": [
                report.other_set_row(name, one.embedder, self._vectors[name, one.embedder.name])
                for name in data.SMALL_SETS
                for one in self._present
            ],
        }
        return summary

    def _as_shipped(self, embedder: Embedder) -> dict[str, Any]:
        thresholds = {"accept_similarity": embedder.accept_similarity, "margin": embedder.margin}
        named = report.named_at(self._vectors["lfw", embedder.name], **thresholds)
        return {"embedder": embedder.name, **thresholds, **named}

    def _missing(self) -> int:
        paths = {path for pair in self._pairs for path in (pair.a, pair.b)}
        return len(paths - {Path(face.path) for face in self._faces["lfw"]})

    def _task(self, description: str, total: int) -> "_Told":
        return _Told(self._progress, description, total)


class _Told:
    """A row of the display."""

    def __init__(self, progress: Progress, description: str, total: int) -> None:
        self._progress = progress
        self._task = progress.add_task(description, total=total)

    def __call__(self, more: int) -> None:
        self._progress.advance(self._task, more)


def _choose(options: Options) -> list[_Present]:
    present = {name: _Present(embedder) for name, embedder in EMBEDDERS.items()}
    for one in imported_embedders(options.model_repo):
        # A similarity that no face reaches, where nobody has said one.
        accept = one.embedder.accept_similarity
        spec = as_spec(one.name, one.embedder, accept_similarity=1.0 if accept is None else accept)
        present[one.name] = _Present(spec, one.version)
    unknown = sorted(set(options.embedders) - set(present))
    if unknown:
        raise PermanentError(f"no embedder named {', '.join(unknown)}; there are {', '.join(present)}")
    return [present[name] for name in options.embedders or present]


def _peer_rows(
    scored: ScoredPairs, peer_costs: dict[str, list[float]], costs: dict[str, list[float]]
) -> list[dict[str, Any]]:
    ours = {**costs, cost.VGG_FACE.name: peer_costs[cost.VGG_FACE.name]}
    compared = [
        (peers.FACE_RECOGNITION, "dlib ResNet", scored, (FACE_EMBEDDER.name, FACE_EMBEDDER_FUSED.name)),
        (peers.DEEPFACE, "VGG-Face, random weights", None, (cost.VGG_FACE.name,)),
    ]
    return [
        report.peer_row(peer, network, pairs, peer_costs[peer], name, ours[name])
        for peer, network, pairs, names in compared
        for name in names
        if name in ours
    ]
