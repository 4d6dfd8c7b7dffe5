"""Thresholds follow what the figures say, and what they say is honest about how little it rests on."""

import numpy as np
import pytest

from mien.contracts.models import FACE_EMBEDDER
from mien.contracts.recognition import Denial, TrackVector, limits_of
from mien.contracts.shared_state import Template
from mien.runtime.gallery import TemplateStore
from mien.vision.similarity import Vector, unit
from services.gateway.calibration import (
    GalleryScores,
    false_accepts,
    false_rejects,
    fit_thresholds,
    score_gallery,
)
from tests.unit.gateway.conftest import Gateway

LIMITS = limits_of(FACE_EMBEDDER.name)


def looks(*values: float) -> Vector:
    return unit(np.array([*values, *[0] * 128][:128], dtype=np.float32))


def template(person_id: str, number: int, vector: Vector) -> Template:
    return Template(
        template_id=f"{person_id}-{number}", person_id=person_id, photo_id="ph", model=FACE_EMBEDDER.name,
        model_version=1, vector=vector.tobytes(),
    )  # fmt: skip


def scores_of(impostor: float, *, people: int = 50, templates: int = 250) -> GalleryScores:
    return GalleryScores(
        genuine=np.full(templates, 0.97, dtype=np.float32),
        impostor=np.full(templates, impostor, dtype=np.float32),
        people=people,
        templates=templates,
    )


def accept(scores: GalleryScores, rate: float = 0.01, least: float = 0.5) -> float:
    return fit_thresholds(scores, LIMITS, false_accept_rate=rate, least=least).accept_similarity


def test_faces_are_compared_with_their_own_and_with_everybody_elses() -> None:
    """A face never plays against itself, and never for its own person as a stranger."""
    scores = score_gallery(
        [
            template("ada", 1, looks(1, 0)),
            template("ada", 2, looks(1, 0.2)),
            template("bob", 1, looks(0, 1)),
        ]
    )
    near = float(looks(1, 0) @ looks(1, 0.2))
    assert scores.genuine.tolist() == pytest.approx([near, near])
    assert sorted(scores.impostor.tolist()) == pytest.approx([0.0, 0.196, 0.196], abs=0.001)
    assert (scores.people, scores.templates) == (2, 3)
    assert scores.lookalikes == pytest.approx({"ada": 0.196, "bob": 0.196}, abs=0.001)


def test_empty_gallery_and_lone_person_claim_nothing() -> None:
    """Where there is nothing to measure, there is no rate."""
    for templates in ([], [template("ada", 1, looks(1))]):
        scores = score_gallery(templates)
        assert (false_accepts(scores, 0.9), false_rejects(scores, 0.9)) == (None, None)
        assert fit_thresholds(scores, LIMITS, false_accept_rate=0.01, least=0.91).accept_similarity >= 0.91


def test_rarer_false_accepts_and_larger_galleries_want_higher_thresholds() -> None:
    """The more there are to resemble, the more somebody must."""
    small, large = scores_of(0.9, templates=20, people=5), scores_of(0.9, templates=2000, people=400)
    assert accept(small, 0.01) < accept(small, 0.001) < accept(large, 0.001)
    assert accept(small, 0.01) < accept(large, 0.01)


def test_one_template_at_a_known_rate_gets_the_figure_itself() -> None:
    """One comparison in a hundred reaches the second of the embedder's figures."""
    nothing = np.empty(0, dtype=np.float32)
    one = GalleryScores(nothing, nothing, people=1, templates=1)
    assert accept(one, 0.01) == pytest.approx(LIMITS.impostor_similarities[1])


def test_people_who_resemble_each_other_move_the_threshold_up() -> None:
    """Figures from elsewhere don't hold for a family."""
    usual = fit_thresholds(scores_of(0.90), LIMITS, false_accept_rate=0.01, least=0.5)
    family = fit_thresholds(scores_of(0.95), LIMITS, false_accept_rate=0.01, least=0.5)
    assert family.accept_similarity > usual.accept_similarity
    assert (usual.basis, family.basis) == ("cohort", "gallery")


def test_few_faces_move_nothing() -> None:
    """Four people say nothing about strangers, however alike they are."""
    few = fit_thresholds(scores_of(0.95, people=4, templates=12), LIMITS, false_accept_rate=0.01, least=0.5)
    assert few.basis == "cohort"


def test_look_alikes_get_thresholds_of_their_own() -> None:
    """Twins are told apart strictly, and nobody else pays for it."""
    twins = [
        template("ada", 1, looks(1, 0)),
        template("eva", 1, looks(1, 0.2)),
        template("bob", 1, looks(0, 0, 1)),
    ]
    fit = fit_thresholds(score_gallery(twins), LIMITS, false_accept_rate=0.01, least=0.5)
    assert set(fit.person_thresholds) == {"ada", "eva"}
    assert all(threshold > fit.accept_similarity for threshold in fit.person_thresholds.values())


def test_denied_face_makes_its_person_stricter() -> None:
    """Whoever was once taken for Ada raises what it takes to be Ada."""
    templates = [template("ada", 1, looks(1, 0)), template("bob", 1, looks(0, 1))]
    scores = score_gallery(templates, [("ada", looks(1, 0.1).tobytes()), ("gone", looks(1).tobytes())])
    assert scores.lookalikes["ada"] == pytest.approx(0.995, abs=0.001)
    assert "gone" not in scores.lookalikes


def test_no_false_accept_among_few_faces_is_not_none_at_all() -> None:
    """Zero of 50 is anything up to five in a hundred."""
    told = false_accepts(scores_of(0.9, templates=50), 0.95)
    assert told is not None
    assert told[0] == 0
    assert 0.03 < told[1] < 0.06


async def enrol(gateway: Gateway, count: int = 3) -> None:
    store = TemplateStore(gateway.context.redis)
    for person in range(count):
        for photo in range(2):
            vector = np.zeros(128, dtype=np.float32)
            vector[person], vector[100 + photo] = 1, 0.1
            await store.add(template(f"p{person}", photo, unit(vector)))


async def test_calibration_is_put_in_force_shown_and_reset(gateway_with_redis: Gateway) -> None:
    """Recognizers find it in the rules; the page says when people have changed since."""
    gateway = gateway_with_redis
    url = "/api/recognition/calibration"
    await enrol(gateway)
    before = (await gateway.client.get(url)).json()
    assert (before["basis"], before["accept_similarity"]) == ("default", FACE_EMBEDDER.accept_similarity)
    made = (await gateway.client.post(url, json={"false_accept_rate": 0.001})).json()
    assert (made["basis"], made["requested_false_accept_rate"], made["stale"]) == ("cohort", 0.001, False)
    assert (made["people"], made["templates"], made["genuine_faces"]) == (3, 6, 6)
    calibration = (await gateway.context.rules.refresh()).calibrations[FACE_EMBEDDER.name]
    assert calibration.accept_similarity == made["accept_similarity"]
    await enrol(gateway, count=4)
    assert (await gateway.client.get(url)).json()["stale"]
    reset = (await gateway.client.delete(url)).json()
    assert (reset["basis"], reset["calibrated_at"]) == ("default", None)
    assert not (await gateway.context.rules.refresh()).calibrations


async def test_denials_count_in_a_calibration(gateway_with_redis: Gateway) -> None:
    """A name that was wrong once is given more sparingly from then on."""
    await enrol(gateway_with_redis)
    vector = np.zeros(128, dtype=np.float32)
    vector[0] = 1
    looks_like = TrackVector(model=FACE_EMBEDDER.name, model_version=1, vector=vector.tobytes())
    await gateway_with_redis.context.rules.write(
        [Denial(track_id="t", person_id="p0", denied_at_ns=1, vector=looks_like)]
    )
    made = (await gateway_with_redis.client.post("/api/recognition/calibration", json={})).json()
    assert [person["person_id"] for person in made["person_thresholds"]] == ["p0"]


async def test_nobody_to_calibrate_on_is_said_in_words(gateway_with_redis: Gateway) -> None:
    """The page tells what to do first."""
    answer = await gateway_with_redis.client.post("/api/recognition/calibration", json={})
    assert (answer.status_code, "add people" in answer.text) == (422, True)
