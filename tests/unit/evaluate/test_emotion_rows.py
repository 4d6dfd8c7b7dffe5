"""Rows of ``mien evaluate emotion``: who doesn't know *tired* is compared fairly, and versions have names."""

import json
from pathlib import Path

import numpy as np
import pytest

from mien.contracts.models import EMOTION_CLASSIFIER, EMOTIONS
from mien.evaluate.emotion import rows
from mien.evaluate.emotion.networks import Reading
from mien.evaluate.emotion.rows import Faces
from model_repo.stamp import STAMP

FACES = Faces(
    classes=np.array([EMOTIONS.index(label) for label in ("angry", "happy", "tired", "tired")]),
    people=np.array(["a/one", "a/two", "b/three", "b/three"]),
)
# Right about who is awake; a yawn is taken for surprise, so little is left for the five.
WITHOUT_TIRED = Reading(
    np.array([[0.9, 0.1, 0, 0, 0], [0.2, 0.8, 0, 0, 0], [0.1, 0, 0.2, 0, 0], [0, 0, 0.3, 0, 0]], np.float32),
    [1.0, 3.0, 2.0],
)


def test_a_peer_without_tired_is_judged_on_five_and_on_four() -> None:
    """Tired faces are its mistakes at five labels, and no question at four."""
    row = rows.network_row("peer", WITHOUT_TIRED, FACES)
    assert row["accuracy_five"] == 0.5
    assert row["accuracy_four"] == 1.0
    assert row["cpu_ms_per_face"] == 2.0
    assert row["cpu_ms_per_camera_second"] == 10.0


def test_a_network_whose_cost_was_not_taken_has_none() -> None:
    assert rows.network_row("peer", Reading(WITHOUT_TIRED.answers), FACES)["cpu_ms_per_face"] is None


def test_each_set_is_told_by_itself() -> None:
    """With how many people it has: ten pictures of one are not ten witnesses."""
    first, second = rows.set_rows({"peer": WITHOUT_TIRED}, "peer", FACES, accept=0.5)
    assert (first["set"], first["faces"], first["people"], first["coverage"]) == ("a", 2, 2, 1.0)
    assert (second["set"], second["faces"], second["people"], second["coverage"]) == ("b", 2, 1, 0.0)
    assert (first["peer"], second["peer"]) == (1.0, 0.0)


def test_the_surest_faces_are_answered_first() -> None:
    """At half of the faces only those are answered that it is right about."""
    told = {row["faces_answered"]: row["peer"] for row in rows.coverage_rows({"peer": WITHOUT_TIRED}, FACES)}
    assert told[0.5] == 1.0
    assert told[1.0] == 0.5


@pytest.mark.parametrize(
    ("version", "stamp", "name"),
    [
        (1, {}, "face-api expression (version 1)"),
        (2, {}, "Mien (version 2)"),
        (3, {"network": "student"}, "student network (version 3)"),
        (4, {}, "unknown network (version 4)"),
    ],
)
def test_versions_are_called_by_what_they_are(
    tmp_path: Path, version: int, stamp: dict[str, str], name: str
) -> None:
    path = tmp_path / EMOTION_CLASSIFIER.name / str(version) / STAMP
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"source": "somewhere", "files": {}} | stamp))
    assert rows.version_name(tmp_path, version) == name
