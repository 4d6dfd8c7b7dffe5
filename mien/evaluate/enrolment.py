"""``mien evaluate enrolment``: are photos under the wrong name found, and are the right ones left alone?

LFW's people are enrolled as customers do, a few photos each; then a photo of somebody else, enrolled or not,
is put among those of every second person. Nothing but :mod:`mien.vision.strays` judges them.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from rich.progress import Progress

from mien.contracts.models import EMBEDDERS, Embedder
from mien.contracts.recognition import limits_of
from mien.evaluate.identity import data
from mien.evaluate.identity.embeddings import Face, Vectors, combined, embed_faces, labelled_faces
from mien.evaluate.identity.run import MIN_FACES_PX
from mien.local.model_server import running_model_server
from mien.runtime.serving import ServingClient
from mien.vision.strays import SET_ASIDE, StrayLimits, find_strays
from model_repo import repository
from model_repo.sources import file_sha256

GOOD_PHOTOS: Final = (1, 2, 4)
DRAWS: Final = 20
_SHARE_WITH_STRAY: Final = 0.5
_STRANGERS: Final = 400
StrayOf = Literal["enrolled", "stranger"]
_SOURCES: Final[tuple[StrayOf, ...]] = ("enrolled", "stranger")


@dataclass
class Tally:
    """How many of which were set aside."""

    strays: int = 0
    strays_found: int = 0
    good: int = 0
    good_set_aside: int = 0

    def row(self) -> dict[str, Any]:
        """Return shares, with the counts behind them."""
        return {
            "strays_found": round(self.strays_found / max(self.strays, 1), 4),
            "strays": self.strays,
            "good_set_aside": round(self.good_set_aside / max(self.good, 1), 4),
            "good": self.good,
        }


def measure_enrolment(
    progress: Progress, *, draws: int = DRAWS
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return what was measured and its summary.

    Raises:
        DataMissingError: The labelled faces are not here.
    """
    data.require_data()
    people = data.lfw_gallery()
    strangers = [paths[0] for paths in data.lfw_strangers().values()][:_STRANGERS]
    vectors = asyncio.run(_vectors(people, strangers, progress))
    task = progress.add_task("planting strays", total=len(vectors) * len(GOOD_PHOTOS) * 2)
    rows = []
    for name, found in vectors.items():
        for good in GOOD_PHOTOS:
            for of in _SOURCES:
                for chosen, among in (("all", people), ("reported", data.reported(people))):
                    tally = Tally()
                    for draw in range(draws):
                        gallery = plant_strays(among, strangers, found, good_photos=good, of=of, seed=draw)
                        judge_gallery(gallery, limits_for(EMBEDDERS[name]), tally)
                    rows.append(
                        {
                            "embedder": name,
                            "people": len(among),
                            "chosen": chosen,
                            "good_photos": good,
                            "stray_of": of,
                        }
                        | tally.row()
                    )
                progress.advance(task)
    return [{"draws": draws, "rows": rows}], summarise(rows)


def summarise(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the figures of the default embedder with four good photos, and the table."""
    first = next(iter(EMBEDDERS))
    told = {
        (row["stray_of"], row["chosen"]): row
        for row in rows
        if row["embedder"] == first and row["good_photos"] == max(GOOD_PHOTOS)
    }
    return {
        "embedder": first,
        "strays_of_enrolled_found": told["enrolled", "all"]["strays_found"],
        "strays_of_strangers_found": told["stranger", "all"]["strays_found"],
        "good_set_aside": told["enrolled", "all"]["good_set_aside"],
        "strays_of_enrolled_found_reported_people": told["enrolled", "reported"]["strays_found"],
        "strays_of_strangers_found_reported_people": told["stranger", "reported"]["strays_found"],
        "good_set_aside_reported_people": told["enrolled", "reported"]["good_set_aside"],
        "enrolment": rows,
    }


def limits_for(embedder: Embedder) -> StrayLimits:
    """Return the limits that the gateway judges with while nothing is calibrated."""
    limits = limits_of(embedder.name)
    return StrayLimits(
        lead=limits.stray_lead,
        odd_similarity=limits.disagree_similarity,
        accept_similarity=embedder.accept_similarity,
        duplicate_similarity=limits.duplicate_similarity,
    )


@dataclass(frozen=True)
class PlantedGallery:
    """Vectors (N, dimensions), the person each is enrolled as, and which of them are somebody else's."""

    vectors: np.ndarray[Any, np.dtype[np.float32]]
    person_of: np.ndarray[Any, np.dtype[np.int64]]
    is_stray: np.ndarray[Any, np.dtype[np.bool_]]


def plant_strays(
    people: Mapping[str, data.Enrolled],
    strangers: list[Path],
    vectors: Vectors,
    *,
    good_photos: int,
    of: StrayOf,
    seed: int,
) -> PlantedGallery:
    """Enrol some photos of each person, and somebody else's photo with every second of them."""
    random = np.random.default_rng(seed)
    paths: list[Path] = []
    person_of: list[int] = []
    spare: list[list[Path]] = []
    for number, person in enumerate(people.values()):
        theirs = [path for path in (*person.enrol, *person.probe) if path in vectors]
        theirs = [theirs[at] for at in random.permutation(len(theirs))]
        paths += theirs[:good_photos]
        person_of += [number] * len(theirs[:good_photos])
        spare.append(theirs[good_photos:])
    good = len(paths)
    unknown = [path for path in strangers if path in vectors]
    for number in np.flatnonzero(random.random(len(people)) < _SHARE_WITH_STRAY).tolist():
        other = (number + 1 + int(random.integers(len(people) - 1))) % len(people)
        source = spare[other] if of == "enrolled" else unknown
        if source:
            paths.append(source[int(random.integers(len(source)))])
            person_of.append(number)
    return PlantedGallery(vectors.of(paths), np.array(person_of, np.int64), np.arange(len(paths)) >= good)


def judge_gallery(gallery: PlantedGallery, limits: StrayLimits, tally: Tally) -> None:
    """Judge a gallery and count what was set aside."""
    found = find_strays(gallery.vectors, gallery.person_of, limits)
    aside = np.array([found[row].verdict in SET_ASIDE for row in range(len(gallery.vectors))])
    tally.strays += int(gallery.is_stray.sum())
    tally.strays_found += int((aside & gallery.is_stray).sum())
    tally.good += int((~gallery.is_stray).sum())
    tally.good_set_aside += int((aside & ~gallery.is_stray).sum())


async def _vectors(
    people: Mapping[str, data.Enrolled], strangers: list[Path], progress: Progress
) -> dict[str, Vectors]:
    paths = sorted({path for one in people.values() for path in (*one.enrol, *one.probe)} | set(strangers))
    faces: list[Face] = labelled_faces(
        paths, min_faces_px=MIN_FACES_PX, on_progress=_told(progress, "faces", len(paths))
    )
    by_model: dict[str, Vectors] = {}
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(running_model_server(repository.ROOT))
        serving = await stack.enter_async_context(ServingClient(server.address))
        for embedder in EMBEDDERS.values():
            for part in embedder.parts:
                if part.model.name in by_model:
                    continue
                number = part.version or 1
                saved = repository.ROOT / part.model.name / str(number) / "saved_model.pb"
                by_model[part.model.name] = await embed_faces(
                    faces,
                    part.model,
                    serving,
                    version=number,
                    model_sha256=await asyncio.to_thread(file_sha256, saved),
                    on_progress=_told(progress, part.model.name, len(faces)),
                )
    return {name: combined(embedder, faces, by_model) for name, embedder in EMBEDDERS.items()}


def _told(progress: Progress, description: str, total: int) -> Callable[[int], None]:
    task = progress.add_task(description, total=total)
    return lambda more: progress.advance(task, more)
