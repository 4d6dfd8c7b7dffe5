"""What an identity classifier is trained on: a data set as vectors, one class for each person."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.contracts.models import IDENTITY_CLASSIFIER
from mien.dataset.manifest import Dataset, Face, aligned_path, read_dataset
from mien.dataset.split import PARTS, Part, Split, read_split
from mien.errors import PermanentError
from mien.runtime.embedders import find_model
from mien.training.dense_network import Samples
from mien.training.embedding import Embedder, embed_views
from mien.training.job import Tell
from model_repo import labels

_MIN_PEOPLE: Final = 2


class IdentityOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a training is asked for; kept with its job.

    Attributes:
        data: Folder of the data set, with its split; empty for the photos of everybody enrolled.
        model_repo: Where the embedder is, and the classifier goes.
        copies: New views of each training face.
        open_set_folds: Groups of people that are held out by turns; 0 leaves that out.
        person_ids: Ids of people by their key in the data set, beside those that the data set knows itself.
        publish: Whether the network becomes a version of the model.
    """

    data: str
    model_repo: str
    embedder: str = "face_embedder"
    embedder_version: int = 1
    copies: int = 8
    seed: int = 1
    epochs: int = 200
    patience: int = 15
    batch_size: int = 64
    learning_rate: float = 1e-3
    open_set_folds: int = 3
    person_ids: dict[str, str] = {}
    publish: bool = True


@dataclass(frozen=True)
class IdentityData:
    """A data set as vectors.

    Attributes:
        people: Keys of the people; the index is the class, and the column of the network.
        samples: Vectors by part; those of training with their views.
        templates: Vectors of the training faces as they are, which is what a gallery would hold.
        faces: The faces of a part, in the order of its samples without views.
    """

    options: IdentityOptions
    dataset: Dataset
    split: Split
    people: list[str]
    samples: dict[Part, Samples]
    templates: Samples
    faces: dict[Part, list[Face]]

    def names(self) -> list[str]:
        """Return what people are called, by class."""
        return [self.dataset.people[key].name for key in self.people]

    def person_ids(self) -> list[str]:
        """Return the ids of people, by class; the key of whoever is not enrolled."""
        return [_person_id(self.options, self.dataset, key) for key in self.people]

    def not_enrolled(self) -> list[str]:
        """Return the names of people who have no id."""
        ids = self.options.person_ids
        people = self.dataset.people
        return [people[key].name for key in self.people if not (ids.get(key) or people[key].person_id)]


def read_identity_data(options: IdentityOptions, vectors_folder: Path, tell: Tell) -> IdentityData:
    """Read a data set and embed its faces; vectors that a run before has made are taken from their folder.

    Raises:
        PermanentError: The data set, its split or the embedder can't be used.
        LeakError: The split leaks.
    """
    folder = Path(options.data)
    dataset = read_dataset(folder)
    split = read_split(folder, dataset)
    if split.by != "photo":
        raise PermanentError(
            f"{folder} is split by person, so nobody who is tested was trained on; an identity classifier "
            f"needs each person in every part: mien dataset split {folder} --by photo"
        )
    if options.embedder not in dataset.aligned_for:
        raise PermanentError(
            f"{folder} has faces aligned for {', '.join(dataset.aligned_for)}; for {options.embedder} "
            f"prepare it again: mien dataset prepare PHOTOS DATA --for {options.embedder}"
        )
    by_id = {face.face_id: face for face in dataset.used()}
    faces = {part: [by_id[face_id] for face_id in split.part(part)] for part in PARTS}
    people = _in_stable_order(options, dataset, {face.person for face in faces["train"]})
    if len(people) < _MIN_PEOPLE:
        raise PermanentError(f"{folder}: expected photos of {_MIN_PEOPLE} people at least, got {len(people)}")
    spec = find_model(options.embedder, version=options.embedder_version, model_repo=Path(options.model_repo))
    embedder = Embedder(spec, Path(options.model_repo) / spec.name / str(options.embedder_version))
    total = sum(map(len, faces.values()))
    vectors: dict[Part, NDArray[np.float32]] = {}
    for part in PARTS:
        copies = options.copies if part == "train" else 0
        before = sum(map(len, vectors.values()))
        vectors[part] = embed_views(
            [aligned_path(folder, face, spec.name) for face in faces[part]],
            embedder,
            copies=copies,
            seed=options.seed,
            cache=vectors_folder / _digest(options, faces[part], copies),
            on_face=partial(_tell_embedded, tell, before, total),
        )
    classes = {
        part: np.array([people.index(face.person) for face in faces[part]], np.int64) for part in PARTS
    }
    return IdentityData(
        options,
        dataset,
        split,
        people,
        {part: _flattened(vectors[part], classes[part]) for part in PARTS},
        Samples(vectors["train"][:, 0], classes["train"]),
        faces,
    )


def _tell_embedded(tell: Tell, before: int, total: int, done: int, _of_part: int) -> None:
    tell("embedding", before + done, total)


def _in_stable_order(options: IdentityOptions, dataset: Dataset, keys: set[str]) -> list[str]:
    """Order people as the last version has them, then the new ones: a column keeps its meaning if it can."""
    root = Path(options.model_repo)
    there = labels.versions(root, IDENTITY_CLASSIFIER)
    before: list[str] = []
    if there:
        text = (root / IDENTITY_CLASSIFIER / str(there[-1]) / "assets.extra" / "labels.txt").read_text()
        before = text.splitlines()
    ids = {key: _person_id(options, dataset, key) for key in keys}
    return sorted(keys, key=lambda key: (before.index(ids[key]) if ids[key] in before else len(before), key))


def _person_id(options: IdentityOptions, dataset: Dataset, key: str) -> str:
    return options.person_ids.get(key) or dataset.people[key].person_id or key


def _digest(options: IdentityOptions, faces: Sequence[Face], copies: int) -> str:
    """Name vectors after all they depend on, so that a resumed job never takes those of something else."""
    content = msgspec.json.encode(
        [options.embedder, options.embedder_version, options.seed, copies, list(faces)]
    )
    return hashlib.blake2b(content, digest_size=8).hexdigest()


def _flattened(vectors: NDArray[np.float32], classes: NDArray[np.int64]) -> Samples:
    return Samples(vectors.reshape(-1, vectors.shape[-1]), np.repeat(classes, vectors.shape[1]))
