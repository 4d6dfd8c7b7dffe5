"""What the identity classifier adds to the gallery's answer: pure decisions."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from mien.contracts.events import IdentityAnswer

Decision = Literal["gallery", "classifier", "both"]
"""Who names faces: the gallery, the classifier, or the classifier among those whom the gallery accepts."""

# Of several people whom the gallery accepts, one must be this much of what the classifier gives to all.
_CLEAR_SHARE = 0.8


@dataclass(frozen=True)
class Opinion:
    """What the classifier says of a face.

    Attributes:
        probabilities: By person id, sum 1; people enrolled since its training are missing.
        accept_probability: From here on the classifier is sure.
        version: Of the model.
    """

    probabilities: Mapping[str, float]
    accept_probability: float
    version: int

    @property
    def best(self) -> str | None:
        """Whom the classifier would name; None when it knows nobody."""
        return max(self.probabilities, key=lambda person_id: self.probabilities[person_id], default=None)


def combine(
    answer: IdentityAnswer,
    person_id: str | None,
    opinion: Opinion | None,
    *,
    decision: Decision,
    accepted: Sequence[str],
    enrolled: Collection[str],
) -> tuple[IdentityAnswer, str | None]:
    """Return the answer about a face, with the person's id where it is known.

    Args:
        answer: The gallery's, with *person_id*.
        opinion: None when the classifier could not be asked: then the gallery's answer stands.
        accepted: People whom the gallery accepts by similarity, the nearest first.
        enrolled: People who may be named at all: whoever was forgotten since the training is not among them.
    """
    if decision == "gallery" or opinion is None:
        return answer, person_id
    if decision == "classifier":
        return _by_classifier(answer, opinion, enrolled)
    return _by_both(answer, person_id, opinion, accepted)


def _by_classifier(
    answer: IdentityAnswer, opinion: Opinion, enrolled: Collection[str]
) -> tuple[IdentityAnswer, str | None]:
    best = opinion.best
    if best is not None and best in enrolled and opinion.probabilities[best] >= opinion.accept_probability:
        return "known", best
    # Only the gallery judges whether a view is good enough to call somebody a stranger.
    return ("unclear", None) if answer == "unclear" else ("unknown", None)


def _by_both(
    answer: IdentityAnswer, person_id: str | None, opinion: Opinion, accepted: Sequence[str]
) -> tuple[IdentityAnswer, str | None]:
    if not accepted or accepted[0] not in opinion.probabilities:
        return answer, person_id
    best = opinion.best
    if (
        best not in accepted
        and best is not None
        and opinion.probabilities[best] >= opinion.accept_probability
    ):
        return "unclear", None
    shares = {one: opinion.probabilities[one] for one in accepted if one in opinion.probabilities}
    likeliest = max(shares, key=lambda one: shares[one])
    if len(shares) > 1 and shares[likeliest] >= _CLEAR_SHARE * sum(shares.values()):
        return "known", likeliest
    return answer, person_id
