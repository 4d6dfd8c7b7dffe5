"""Which embedders there are: our own, and those that somebody imported into the model repository."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from mien.contracts.models import EMBEDDER_FILE, EMBEDDERS, Embedder, EmbedderSpec, ImportedEmbedder
from mien.errors import SettingsError
from mien.vision.alignment import ALIGNMENTS


def find_embedder(
    name: str, *, version: int, model_repo: Path, accept_similarity: float | None = None
) -> Embedder:
    """Return what is known of an embedder, by its name.

    Args:
        accept_similarity: For an imported embedder that brings none of its own.

    Raises:
        SettingsError: There is no such embedder, or nothing says from which similarity a face is somebody.
    """
    if name in EMBEDDERS:
        return EMBEDDERS[name]
    path = model_repo / name / str(version) / EMBEDDER_FILE
    if not path.is_file():
        raise SettingsError(
            f"expected one of {', '.join(EMBEDDERS)}, or an embedder that `mien models import` has put into "
            f"{model_repo}; got {name!r} version {version}, and there is no {path}"
        )
    imported = read_imported(path)
    accept = imported.accept_similarity if accept_similarity is None else accept_similarity
    if accept is None:
        raise SettingsError(
            f"nothing says from which similarity two faces are one person for {name}: set accept_similarity"
        )
    return as_spec(name, imported, accept_similarity=accept)


def find_model(name: str, *, version: int, model_repo: Path) -> EmbedderSpec:
    """Return an embedder that is one model, for whoever aligns faces for it or asks it directly.

    Raises:
        SettingsError: There is no such embedder, or it is made of several.
    """
    embedder = find_embedder(name, version=version, model_repo=model_repo, accept_similarity=0.0)
    if not isinstance(embedder, EmbedderSpec):
        parts = " or ".join(part.model.name for part in embedder.parts)
        raise SettingsError(f"expected an embedder that is one model, such as {parts}; {name} is several")
    return embedder


@dataclass(frozen=True)
class ImportedVersion:
    """An imported embedder in the repository."""

    name: str
    version: int
    embedder: ImportedEmbedder


def imported_embedders(model_repo: Path) -> Iterator[ImportedVersion]:
    """Yield every imported embedder's latest version, by name.

    Raises:
        SettingsError: One can't be read.
    """
    latest: dict[str, tuple[int, Path]] = {}
    for path in model_repo.glob(f"*/*/{EMBEDDER_FILE}"):
        folder = path.parent.parent
        if folder.name.isdecimal():
            found = (int(folder.name), path)
            latest[folder.parent.name] = max(latest.get(folder.parent.name, found), found)
    for name, (version, path) in sorted(latest.items()):
        yield ImportedVersion(name, version, read_imported(path))


def read_imported(path: Path) -> ImportedEmbedder:
    """Read what an imported embedder says about itself.

    Raises:
        SettingsError: The file can't be read, or asks for an alignment that we don't have.
    """
    try:
        imported = msgspec.json.decode(path.read_bytes(), type=ImportedEmbedder)
    except (OSError, msgspec.DecodeError) as error:
        raise SettingsError(f"{path}: expected what `mien models import` writes. {error}") from error
    if imported.alignment not in ALIGNMENTS:
        expected = ", ".join(ALIGNMENTS)
        raise SettingsError(f"{path}: expected an alignment of {expected}, got {imported.alignment!r}")
    return imported


def as_spec(name: str, imported: ImportedEmbedder, *, accept_similarity: float) -> EmbedderSpec:
    """Return an imported embedder as one of ours."""
    return EmbedderSpec(
        name,
        imported.size,
        imported.dimensions,
        imported.alignment,
        accept_similarity=accept_similarity,
        margin=imported.margin,
    )
