"""The models we build, and what is known about each one on disk.

A built version carries a stamp, `assets.extra/build.json`: what it was made from, each file's checksum.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import model_repo.emotion_classifier.build as emotion_classifier
import model_repo.emotion_classifier.strong as emotion_strong
import model_repo.eyelids.build as eyelids
import model_repo.face_embedder.build as face_embedder
import model_repo.face_embedder_faceres.build as face_embedder_faceres
import model_repo.face_landmarks.build as face_landmarks
from model_repo import labels, saved_model
from model_repo.labels import locked
from model_repo.saved_model import Model
from model_repo.sources import FACE_API, HUMAN, Package, PackageFiles, fetch, file_sha256
from model_repo.stamp import STAMP, read_stamp

ROOT = Path(__file__).parent
# Modules that every model's bytes depend on.
_SHARED_MODULES = ("saved_model.py", "layers.py", "tfjs.py", "tfjs_graph.py", "face_api.py")


@dataclass(frozen=True)
class Recipe:
    """How a model is made: from which packages, by which function, as which version.

    Attributes:
        build: Takes the files of *package*, then those of *more_packages*.
        own_files: Of the model's folder: the code, and weights of ours, that decide the result.
    """

    name: str
    version: int
    package: Package
    build: Callable[..., Model]
    more_packages: tuple[Package, ...] = ()
    own_files: tuple[str, ...] = ("build.py",)

    def folder(self, root: Path) -> Path:
        """Folder under `root` that holds this version."""
        return root / self.name / str(self.version)

    @property
    def packages(self) -> tuple[Package, ...]:
        """All packages that it is made from."""
        return (self.package, *self.more_packages)

    @property
    def source(self) -> str:
        """The packages, for people."""
        return ", ".join(map(str, self.packages))

    @property
    def fingerprint(self) -> str:
        """Checksum of everything that decides the result: the package and the code that converts it."""
        packages = " ".join(package.sha256 for package in self.packages)
        digest = hashlib.sha256(f"{self.name} {self.version} {packages}".encode())
        own = (ROOT / self.name / file for file in self.own_files)
        for path in (*(ROOT / module for module in _SHARED_MODULES), *own):
            digest.update(path.read_bytes())
        return digest.hexdigest()


RECIPES = (
    Recipe("face_embedder", 1, FACE_API, face_embedder.build),
    Recipe("face_embedder_faceres", 1, HUMAN, face_embedder_faceres.build),
    Recipe("emotion_classifier", 1, FACE_API, emotion_classifier.build),
    Recipe(
        "emotion_classifier",
        2,
        FACE_API,
        emotion_strong.build_shipped,
        more_packages=(HUMAN,),
        own_files=("build.py", "features.py", "head.npz", "output.py", "strong.py"),
    ),
    Recipe("eyelids", 1, HUMAN, eyelids.build),
    Recipe("face_landmarks", 1, FACE_API, face_landmarks.build),
)
_FIRST_LABELS = {"emotion_classifier": {labels.STABLE: 2, labels.PREVIOUS: 1}}
"""Given to a model that has none yet, where a repository builds several versions of it."""


class State(StrEnum):
    """What a version's folder holds."""

    READY = "ready"
    MISSING = "missing"
    OUTDATED = "outdated"
    DAMAGED = "damaged"


class Step(StrEnum):
    """What a build is doing."""

    FETCHING = "fetching"
    CONVERTING = "converting"
    WRITING = "writing"
    DONE = "done"


def build(recipe: Recipe, root: Path, *, on_step: Callable[[Step], None], force: bool = False) -> bool:
    """Bring a model's folder under `root` up to date; return whether anything had to be done.

    The finished version appears by one rename, so that a model server never sees half of it.

    Raises:
        DownloadError: the package can't be had.
        ChecksumError: the package is not the one we know.
        PermanentError: the package has other contents than the builder expects.
    """
    with locked(root) as downloads:
        if not force and state(recipe.folder(root), recipe) is State.READY:
            on_step(Step.DONE)
            return False
        on_step(Step.FETCHING)
        files = [fetch(package, downloads) for package in recipe.packages]
        on_step(Step.CONVERTING)
        model = recipe.build(*files)
        on_step(Step.WRITING)
        origin = {"fingerprint": recipe.fingerprint, "source": recipe.source}
        publish(model, recipe.folder(root), origin=origin)
        _give_first_labels(recipe.name, root)
    on_step(Step.DONE)
    return True


def _give_first_labels(name: str, root: Path) -> None:
    first = _FIRST_LABELS.get(name, {})
    if labels.read_labels(root, name) or not set(first.values()) <= set(labels.versions(root, name)):
        return
    for label, version in first.items():
        labels.set_label(root, name, label, version)


def fetch_package(package: Package, root: Path) -> PackageFiles:
    """Return the files of a package, kept where models are built.

    Raises:
        DownloadError: the package can't be had.
        ChecksumError: the package is not the one we know.
    """
    with locked(root) as downloads:
        return fetch(package, downloads)


def publish(
    model: Model,
    folder: Path,
    *,
    origin: dict[str, str],
    check: Callable[[Path], None] = lambda draft: None,
) -> None:
    """Write `model` and its stamp, which says `origin`, and put it in the place of `folder`.

    `check` sees the finished SavedModel first; when it raises, nothing has changed.
    """
    downloads = folder.parent.parent / ".downloads"
    folder.parent.mkdir(parents=True, exist_ok=True)
    downloads.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=downloads) as scratch:
        draft = Path(scratch) / "draft"
        draft.mkdir()
        saved_model.write(model, draft)
        check(draft)
        files = {str(path.relative_to(draft)): file_sha256(path) for path in _files(draft)}
        stamp = draft / STAMP
        stamp.parent.mkdir(exist_ok=True)
        stamp.write_text(json.dumps({**origin, "files": files}, indent=2) + "\n")
        if folder.exists():
            shutil.move(folder, Path(scratch) / "old")
        draft.rename(folder)


def publish_next(model: Model, root: Path, name: str, *, origin: dict[str, str]) -> Path:
    """Publish `model` under the next number that no version or label has; return its folder."""
    with locked(root):
        taken = [*labels.versions(root, name), *labels.read_labels(root, name).values()]
        folder = root / name / str(max(taken, default=0) + 1)
        publish(model, folder, origin=origin)
    return folder


def state(folder: Path, recipe: Recipe | None) -> State:
    """Compare a version's folder with its stamp and, where we build that version, with its recipe."""
    if not folder.exists():
        return State.MISSING
    if damaged_files(folder):
        return State.DAMAGED
    outdated = recipe and read_stamp(folder).get("fingerprint") != recipe.fingerprint
    return State.OUTDATED if outdated else State.READY


def damaged_files(folder: Path) -> list[str]:
    """Return the files of a version that are missing or differ from their checksum, or the missing stamp."""
    try:
        checksums: dict[str, str] = json.loads((folder / STAMP).read_text())["files"]
    except (OSError, ValueError, TypeError, KeyError):
        return [STAMP]
    return [
        name
        for name, sha256 in sorted(checksums.items())
        if not (folder / name).is_file() or file_sha256(folder / name) != sha256
    ]


def inventory(root: Path) -> list[tuple[Path, Recipe | None]]:
    """Return each version's folder under `root`, there or to be built, with its recipe if we have one."""
    recipes = {recipe.folder(root): recipe for recipe in RECIPES}
    there = {folder for folder in root.glob("*/*") if folder.is_dir() and folder.name.isdecimal()}
    return [(folder, recipes.get(folder)) for folder in sorted({*recipes, *there})]


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
