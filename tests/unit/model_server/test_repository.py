from pathlib import Path

import pytest

from services.model_server.repository import fingerprint, read_wanted_models
from tests.unit.model_server.tiny_models import MODELS_CONFIG


def make_versions(folder: Path, *versions: str) -> Path:
    for version in versions:
        (folder / version).mkdir(parents=True)
    return folder


def test_the_highest_number_is_wanted(tmp_path: Path) -> None:
    """Versions are numbers, 10 is after 9; other folders and models without versions don't count."""
    make_versions(tmp_path / "embedder", "9", "10", "card", "__pycache__")
    make_versions(tmp_path / "not_built", "source")
    wanted = read_wanted_models(tmp_path, None)
    assert set(wanted) == {"embedder"}
    assert wanted["embedder"].versions == {10: tmp_path / "embedder" / "10"}


def test_labelled_versions_are_wanted_too(tmp_path: Path) -> None:
    """A label keeps its version beside the latest."""
    folder = make_versions(tmp_path / "embedder", "1", "2", "3")
    (folder / "labels.json").write_text('{"stable": 2, "canary": 3}')
    model = read_wanted_models(tmp_path, None)["embedder"]
    assert list(model.versions) == [2, 3]
    assert model.labels == {"stable": 2, "canary": 3}


@pytest.mark.parametrize("text", ["[1]", '{"stable": "1"}', "{"])
def test_labels_that_are_none_are_an_error(tmp_path: Path, text: str) -> None:
    """A broken labels.json is refused, not guessed at."""
    folder = make_versions(tmp_path / "embedder", "1")
    (folder / "labels.json").write_text(text)
    with pytest.raises(ValueError):  # noqa: PT011 - the JSON parser's own message is fine
        read_wanted_models(tmp_path, None)


def test_the_configuration_decides(tmp_path: Path) -> None:
    """Policies, labels and folder names of TensorFlow Serving's configuration are followed."""
    make_versions(tmp_path / "scaler", "1", "2", "3")
    make_versions(tmp_path / "slow", "1", "2")
    make_versions(tmp_path / "other", "1")
    config = tmp_path / "models.config"
    config.write_text(MODELS_CONFIG)
    wanted = read_wanted_models(tmp_path, config)
    assert {name: list(model.versions) for name, model in wanted.items()} == {"scaler": [1, 2], "slow": [2]}
    assert wanted["scaler"].labels == {"stable": 1, "canary": 2}


def test_a_configuration_with_a_mistake_is_refused(tmp_path: Path) -> None:
    """The error names the file and the place."""
    config = tmp_path / "models.config"
    config.write_text("model_config_list { confg { } }")
    with pytest.raises(ValueError, match=r"models\.config: 1:21"):
        read_wanted_models(tmp_path, config)


def test_the_fingerprint_follows_the_files(tmp_path: Path) -> None:
    """Nothing without the model file; another one when any file changes."""
    assert fingerprint(tmp_path) is None
    (tmp_path / "saved_model.pb").write_bytes(b"1")
    first = fingerprint(tmp_path)
    (tmp_path / "variables").mkdir()
    (tmp_path / "variables" / "data").write_bytes(b"1")
    second = fingerprint(tmp_path)
    assert first is not None
    assert second is not None
    assert first != second
    assert fingerprint(tmp_path) == second
