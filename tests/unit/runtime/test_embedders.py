"""Embedders are found by name: our own, and those that somebody imported."""

from pathlib import Path

import pytest

from mien.contracts.models import EMBEDDER_FILE, FACE_EMBEDDER, FACE_EMBEDDER_FUSED
from mien.errors import SettingsError
from mien.runtime.embedders import find_embedder, imported_embedders

KNOWN = '{"size": 112, "dimensions": 512, "alignment": "arcface5", "accept_similarity": 0.35, "margin": 0.02}'
UNKNOWN = '{"size": 112, "dimensions": 512, "alignment": "arcface5"}'


def put(model_repo: Path, name: str, version: int, content: str) -> None:
    path = model_repo / name / str(version) / EMBEDDER_FILE
    path.parent.mkdir(parents=True)
    path.write_text(content)


def test_our_own_need_no_file(tmp_path: Path) -> None:
    for embedder in (FACE_EMBEDDER, FACE_EMBEDDER_FUSED):
        assert find_embedder(embedder.name, version=1, model_repo=tmp_path) is embedder


def test_an_imported_one_brings_its_threshold(tmp_path: Path) -> None:
    put(tmp_path, "arcface", 2, KNOWN)
    embedder = find_embedder("arcface", version=2, model_repo=tmp_path)
    assert (embedder.accept_similarity, embedder.margin, embedder.dimensions) == (0.35, 0.02, 512)


def test_a_threshold_that_is_set_goes_before_its_own(tmp_path: Path) -> None:
    put(tmp_path, "arcface", 1, KNOWN)
    found = find_embedder("arcface", version=1, model_repo=tmp_path, accept_similarity=0.5)
    assert found.accept_similarity == 0.5


def test_without_any_threshold_it_is_refused(tmp_path: Path) -> None:
    """Nobody's name is guessed: the message says which setting is missing."""
    put(tmp_path, "arcface", 1, UNKNOWN)
    with pytest.raises(SettingsError, match="set accept_similarity"):
        find_embedder("arcface", version=1, model_repo=tmp_path)
    assert find_embedder("arcface", version=1, model_repo=tmp_path, accept_similarity=0.4)


def test_an_unknown_name_is_refused_with_what_there_is(tmp_path: Path) -> None:
    put(tmp_path, "arcface", 1, KNOWN)
    with pytest.raises(SettingsError, match=r"face_embedder_fused.*'arcface' version 2"):
        find_embedder("arcface", version=2, model_repo=tmp_path)


@pytest.mark.parametrize(
    ("content", "expected"),
    [("{", "expected what"), (KNOWN.replace("arcface5", "mesh468"), "expected an alignment of dlib5")],
)
def test_a_file_that_makes_no_sense_is_refused(content: str, expected: str, tmp_path: Path) -> None:
    put(tmp_path, "arcface", 1, content)
    with pytest.raises(SettingsError, match=expected):
        find_embedder("arcface", version=1, model_repo=tmp_path)


def test_imported_ones_are_listed_with_their_latest_version(tmp_path: Path) -> None:
    for version in (9, 10):
        put(tmp_path, "arcface", version, KNOWN)
    put(tmp_path, "adaface", 1, UNKNOWN)
    (tmp_path / "face_embedder" / "1").mkdir(parents=True)
    found = [(one.name, one.version) for one in imported_embedders(tmp_path)]
    assert found == [("adaface", 1), ("arcface", 10)]
