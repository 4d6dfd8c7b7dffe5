"""What lies in the model repository: models, their versions and labels."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from google.protobuf import text_format

from mien.runtime.serving_protos import ModelServerConfig

Fingerprint = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class WantedModel:
    """A model as the repository asks for it to be served.

    Attributes:
        versions: Folder of each version to serve, in ascending order.
        labels: Version by label.
    """

    name: str
    versions: Mapping[int, Path]
    labels: Mapping[str, int] = field(default_factory=dict)


def read_wanted_models(model_repo: Path, models_config: Path | None) -> dict[str, WantedModel]:
    """Models to serve, by name.

    Without a configuration: the latest version of every folder that has one, and those that its `labels.json`
    (`{"stable": 1, "canary": 2}`) names. With TensorFlow Serving's configuration: what it lists. Of a
    `base_path`, which is where tensorflow/serving finds the model, only the folder's name counts here.

    Raises:
        ValueError: the configuration or a `labels.json` can't be understood.
        OSError: the repository can't be read.
    """
    if models_config is None:
        wanted = (_read_model(folder) for folder in sorted(model_repo.iterdir()) if folder.is_dir())
        return {model.name: model for model in wanted if model.versions}
    return _read_config(model_repo, models_config)


def fingerprint(version_folder: Path) -> Fingerprint | None:
    """Names, sizes and times of a version's files; None while there is no `saved_model.pb`."""
    try:
        if not (version_folder / "saved_model.pb").is_file():
            return None
        files = sorted(path for path in version_folder.rglob("*") if path.is_file())
        stats = ((str(path.relative_to(version_folder)), path.stat()) for path in files)
        return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)
    except FileNotFoundError:  # somebody is renaming files under our hands: not settled
        return None


def _version_folders(model_folder: Path) -> dict[int, Path]:
    if not model_folder.is_dir():
        return {}
    folders = [path for path in model_folder.iterdir() if path.name.isdecimal() and path.is_dir()]
    return {int(path.name): path for path in sorted(folders, key=lambda path: int(path.name))}


def _read_model(model_folder: Path) -> WantedModel:
    versions = _version_folders(model_folder)
    labels = _read_labels(model_folder / "labels.json")
    latest = max(versions, default=0)
    return WantedModel(
        model_folder.name,
        {number: path for number, path in versions.items() if number == latest or number in labels.values()},
        labels,
    )


def _read_labels(path: Path) -> dict[str, int]:
    if not path.is_file():
        return {}
    labels = json.loads(path.read_text())
    if not isinstance(labels, dict) or not all(type(version) is int for version in labels.values()):
        raise ValueError(f"{path.name} of {path.parent.name}: expected {{label: version}}, got {labels!r}")
    return labels


def _read_config(model_repo: Path, models_config: Path) -> dict[str, WantedModel]:
    config = ModelServerConfig()
    try:
        text_format.Parse(models_config.read_text(), config)
    except text_format.ParseError as error:
        raise ValueError(f"{models_config.name}: {error}") from error
    wanted = {}
    for model in config.model_config_list.config:
        versions = _version_folders(model_repo / Path(model.base_path).name)
        policy = model.model_version_policy
        if policy.HasField("specific"):
            chosen = [version for version in versions if version in policy.specific.versions]
        elif policy.HasField("all"):
            chosen = list(versions)
        else:
            chosen = list(versions)[-(policy.latest.num_versions or 1) :]
        wanted[model.name] = WantedModel(
            model.name, {version: versions[version] for version in chosen}, dict(model.version_labels)
        )
    return wanted
