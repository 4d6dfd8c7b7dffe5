"""The classifier names people by itself, or decides among those whom the gallery accepts."""

from typing import Any

import pytest

from mien.contracts.events import IdentityAnswer
from services.recognizer.classification import Opinion, combine

ENROLLED = frozenset({"ada", "bob", "cleo"})


def opinion(**probabilities: float) -> Opinion:
    return Opinion(probabilities, accept_probability=0.9, version=3)


def combined(
    answer: IdentityAnswer, person_id: str | None, said: Opinion | None, decision: Any, *accepted: str
) -> tuple[str, str | None]:
    return combine(answer, person_id, said, decision=decision, accepted=accepted, enrolled=ENROLLED)


@pytest.mark.parametrize("decision", ["gallery", "classifier", "both"])
def test_without_an_opinion_the_gallery_decides(decision: str) -> None:
    assert combined("known", "ada", None, decision, "ada") == ("known", "ada")


def test_gallery_ignores_the_classifier() -> None:
    assert combined("known", "ada", opinion(bob=1.0), "gallery", "ada") == ("known", "ada")


@pytest.mark.parametrize(
    ("answer", "said", "expected"),
    [
        ("unknown", opinion(ada=0.95, bob=0.05), ("known", "ada")),
        ("known", opinion(ada=0.6, bob=0.4), ("unknown", None)),
        ("unclear", opinion(ada=0.6, bob=0.4), ("unclear", None)),
        ("known", opinion(gone=0.99, ada=0.01), ("unknown", None)),
        ("known", opinion(), ("unknown", None)),
    ],
    ids=["sure", "not sure", "a poor view", "somebody who was forgotten", "knows nobody"],
)
def test_the_classifier_alone(
    answer: IdentityAnswer, said: Opinion, expected: tuple[str, str | None]
) -> None:
    assert combined(answer, "cleo" if answer == "known" else None, said, "classifier") == expected


def test_both_never_name_whom_the_gallery_does_not_accept() -> None:
    assert combined("unknown", None, opinion(ada=1.0), "both") == ("unknown", None)


def test_both_choose_among_two_whom_the_gallery_cannot_tell_apart() -> None:
    said = opinion(ada=0.05, bob=0.85, cleo=0.1)
    assert combined("unclear", None, said, "both", "ada", "bob") == ("known", "bob")


def test_both_leave_open_what_the_classifier_cannot_tell_either() -> None:
    said = opinion(ada=0.5, bob=0.45, cleo=0.05)
    assert combined("unclear", None, said, "both", "ada", "bob") == ("unclear", None)


def test_both_doubt_a_name_that_the_classifier_is_sure_to_be_another_s() -> None:
    assert combined("known", "ada", opinion(ada=0.02, cleo=0.98), "both", "ada") == ("unclear", None)
    assert combined("known", "ada", opinion(ada=0.4, cleo=0.6), "both", "ada") == ("known", "ada")


def test_both_trust_the_gallery_about_people_enrolled_after_the_training() -> None:
    assert combined("known", "dan", opinion(ada=0.99), "both", "dan") == ("known", "dan")
