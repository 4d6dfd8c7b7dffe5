"""Which version of a model answers to which label: `<model>/labels.json`, `{"stable": 3, "canary": 4}`.

Workers ask for `stable`. A new version is tried as `canary`, promoted, and rolled back to `previous`, which
stays loaded for that. The embedded model server reads these files itself; for tensorflow/serving the same is
written to `models.config` beside the models.
"""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from mien.errors import PermanentError

STABLE: Final = "stable"
CANARY: Final = "canary"
PREVIOUS: Final = "previous"
MODELS_CONFIG: Final = "models.config"
_LABELS: Final = "labels.json"


def read_labels(root: Path, model: str) -> dict[str, int]:
    """Return the version of each label; none where nothing was labelled.

    Raises:
        PermanentError: The file can't be understood.
    """
    path = root / model / _LABELS
    try:
        labels = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise PermanentError(f"{path}: expected a JSON object: {error}") from error
    if not isinstance(labels, dict) or not all(type(version) is int for version in labels.values()):
        raise PermanentError(f"{path}: expected versions by label, got {labels!r}")
    return labels


def set_label(root: Path, model: str, label: str, version: int) -> None:
    """Give a version a label, taking it from another.

    Raises:
        PermanentError: There is no such version.
    """
    _require_version(root, model, version)
    _write(root, model, read_labels(root, model) | {label: version})


def remove_label(root: Path, model: str, label: str) -> None:
    """Take a label away.

    Raises:
        PermanentError: Nothing has it.
    """
    labels = read_labels(root, model)
    if label not in labels:
        raise PermanentError(f"{model}: no version is labelled {label}; labels: {_in_words(labels)}")
    del labels[label]
    _write(root, model, labels)


def label_new_version(root: Path, model: str, version: int) -> str:
    """Label a version that was just made: the first is `stable` at once, a later one `canary`.

    Where none has a label yet, the newest of those before it, which was built at set-up, becomes `stable`.
    """
    before = [other for other in versions(root, model) if other < version]
    if before and not read_labels(root, model):
        set_label(root, model, STABLE, before[-1])
    label = CANARY if STABLE in read_labels(root, model) else STABLE
    set_label(root, model, label, version)
    return label


def promote(root: Path, model: str) -> int:
    """Make the canary stable, and what was stable previous; return the new stable version.

    Raises:
        PermanentError: There is no canary, or its files are gone.
    """
    labels = read_labels(root, model)
    if CANARY not in labels:
        raise PermanentError(f"{model}: there is no {CANARY} to promote; labels: {_in_words(labels)}")
    version = labels.pop(CANARY)
    _require_version(root, model, version)
    if labels.get(STABLE, version) != version:
        labels[PREVIOUS] = labels[STABLE]
    _write(root, model, labels | {STABLE: version})
    return version


def roll_back(root: Path, model: str) -> int:
    """Make the previous version stable again, and what was stable the canary; return the stable version.

    Raises:
        PermanentError: There is no previous version, or its files are gone.
    """
    labels = read_labels(root, model)
    if PREVIOUS not in labels:
        raise PermanentError(f"{model}: there is nothing to go back to; labels: {_in_words(labels)}")
    version = labels.pop(PREVIOUS)
    _require_version(root, model, version)
    _write(root, model, labels | {CANARY: labels[STABLE], STABLE: version})
    return version


def write_models_config(root: Path) -> Path:
    """Write for tensorflow/serving what the embedded server serves: the latest and the labelled versions."""
    path = root / MODELS_CONFIG
    models = (_as_config(root, model.name) for model in sorted(root.iterdir()) if model.is_dir())
    _write_whole(path, "".join(["model_config_list {\n", *models, "}\n"]))
    return path


def _as_config(root: Path, model: str) -> str:
    there, labels = versions(root, model), read_labels(root, model)
    if not there:
        return ""
    labels = {label: version for label, version in labels.items() if version in there}
    served = sorted({there[-1], *labels.values()})
    lines = [
        "  config {",
        f'    name: "{model}"',
        f'    base_path: "/models/{model}"',
        '    model_platform: "tensorflow"',
        "    model_version_policy { specific { "
        + " ".join(f"versions: {version}" for version in served)
        + " } }",
        *(
            f'    version_labels {{ key: "{label}" value: {version} }}'
            for label, version in sorted(labels.items())
        ),
        "  }\n",
    ]
    return "\n".join(lines)


def _require_version(root: Path, model: str, version: int) -> None:
    there = versions(root, model)
    if version not in there:
        known = ", ".join(map(str, there)) or "none"
        raise PermanentError(f"{model}: there is no version {version}; there are: {known}")


def versions(root: Path, model: str) -> list[int]:
    """Return the versions of a model that are there, in ascending order."""
    folders = (path for path in (root / model).glob("*") if path.name.isdecimal())
    return sorted(int(folder.name) for folder in folders if (folder / "saved_model.pb").is_file())


@contextmanager
def locked(root: Path) -> Iterator[Path]:
    """Keep whoever else changes `root` waiting; yields the folder of downloads."""
    downloads = root / ".downloads"
    downloads.mkdir(parents=True, exist_ok=True)
    with (downloads / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield downloads


def _write(root: Path, model: str, labels: dict[str, int]) -> None:
    _write_whole(root / model / _LABELS, json.dumps(labels, sort_keys=True) + "\n")
    write_models_config(root)


def _write_whole(path: Path, text: str) -> None:
    draft = path.with_suffix(".new")
    draft.write_text(text)
    draft.replace(path)


def _in_words(labels: dict[str, int]) -> str:
    return ", ".join(f"{label} {version}" for label, version in sorted(labels.items())) or "none"
