"""The models behind the model server: names, signatures, tensors, and what their numbers mean.

Workers send uint8 RGB faces aligned to the model's template; everything else is in the graph.
"""

from dataclasses import dataclass
from typing import Final

import msgspec

SIGNATURE: Final = "serving_default"
IMAGES: Final = "images"
EMBEDDINGS: Final = "embeddings"
PROBABILITIES: Final = "probabilities"
POINTS: Final = "points"
CLASSES_JSON: Final = "classes_json"

EMOTIONS: Final = ("angry", "happy", "neutral", "sad", "tired")
EMOTION_LABELS: Final = (*EMOTIONS, "other")
"""Columns of an emotion model's probabilities. ``other`` is an expression outside the five."""
UNCERTAIN: Final = "uncertain"


@dataclass(frozen=True)
class EmbedderSpec:
    """An embedder: ``images`` uint8 RGB (N, size, size, 3) → ``embeddings`` float32 (N, dimensions), norm 1.

    Attributes:
        alignment: Name of the template of :mod:`mien.vision.alignment` that faces are warped onto.
        accept_similarity: Cosine similarity from which two faces are called the same person.
        margin: How much nearer the best person must be than the second.
    """

    name: str
    size: int
    dimensions: int
    alignment: str
    accept_similarity: float
    margin: float

    @property
    def parts(self) -> "tuple[EmbedderPart, ...]":
        """The one model that it is."""
        return (EmbedderPart(self),)


@dataclass(frozen=True)
class EmbedderPart:
    """One model's say in a similarity.

    Attributes:
        share: Of the whole similarity; the shares of all parts add up to 1.
        version: Of the model; None takes the version of the embedder it is a part of.
    """

    model: EmbedderSpec
    share: float = 1.0
    version: int | None = None


@dataclass(frozen=True)
class FusedEmbedderSpec:
    """Several models whose similarities are added, each with its share.

    Nothing of this name is served: who embeds a face asks each part for its vector, with that part's
    alignment, and puts the vectors behind one another, each times the root of its share. The result has norm
    1, and the product of two of them is the weighted sum of the parts' similarities.
    """

    name: str
    parts: tuple[EmbedderPart, ...]
    accept_similarity: float
    margin: float

    @property
    def dimensions(self) -> int:
        """Values of a vector: those of all parts."""
        return sum(part.model.dimensions for part in self.parts)


Embedder = EmbedderSpec | FusedEmbedderSpec


class ImportedEmbedder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an imported embedder says about itself: :data:`EMBEDDER_FILE` in its version's folder.

    Attributes:
        accept_similarity: None while nobody has measured it; a recognizer then wants to be told one.
    """

    size: int
    dimensions: int
    alignment: str
    accept_similarity: float | None = None
    margin: float = 0.0


EMBEDDER_FILE: Final = "assets.extra/embedder.json"
"""Where TensorFlow Serving leaves it alone."""


@dataclass(frozen=True)
class EmotionSpec:
    """An emotion model: ``images`` uint8 RGB (N, size, size, 3) → ``probabilities`` float32 (N, 6).

    Attributes:
        accept_probability: Its operating point: a label whose probability is below this is ``uncertain``.
    """

    name: str
    size: int
    alignment: str
    accept_probability: float


# Similarities by which 0.1 % of 1,625 pictures of strangers are named from a gallery of 40 people with five
# photos each (LFW, own detector). Of 39 other people and other strangers, who had no part in the choice, this
# many are named, from one photo and by the mean of three: 85 and 83 % of the known, none wrongly; none of
# 1,594 and none of 1,081 strangers.
FACE_EMBEDDER: Final = EmbedderSpec("face_embedder", 150, 128, "dlib5", accept_similarity=0.956, margin=0.01)
# In the same way: 79 and 75 % of the known, none wrongly; one and none of the strangers.
FACE_EMBEDDER_FACERES: Final = EmbedderSpec(
    "face_embedder_faceres", 224, 1024, "square15", accept_similarity=0.723, margin=0.02
)
# In the same way: 85 and 86 % of the known, none wrongly; none of the strangers. The shares are those with
# the most true accepts at 0.1 % false ones on half of the people of Glint and AT&T.
FACE_EMBEDDER_FUSED: Final = FusedEmbedderSpec(
    "face_embedder_fused",
    (EmbedderPart(FACE_EMBEDDER, 0.95, version=1), EmbedderPart(FACE_EMBEDDER_FACERES, 0.05, version=1)),
    accept_similarity=0.943,
    margin=0.01,
)
EMBEDDERS: Final[dict[str, Embedder]] = {
    embedder.name: embedder for embedder in (FACE_EMBEDDER, FACE_EMBEDDER_FACERES, FACE_EMBEDDER_FUSED)
}
SERVED_EMBEDDERS: Final = (FACE_EMBEDDER, FACE_EMBEDDER_FACERES)
"""Those that are models; the others are made of these."""

IDENTITY_CLASSIFIER: Final = "identity_classifier"
"""``embeddings`` float32 (N, D) → ``probabilities`` float32 (N, C) and ``classes_json`` uint8 (N, L).

Each row of ``classes_json`` is the same :class:`IdentityClasses` as UTF-8: ask for it once per version.
"""


class IdentityClasses(msgspec.Struct, frozen=True, kw_only=True):
    """What a version of the identity classifier was trained on.

    Attributes:
        embedder: Whose vectors it takes, with *embedder_version*; those of another mean nothing to it.
        person_ids: Who each column is.
        accept_probability: From here on a strangers' probability was rare; see the version's report.
    """

    embedder: str
    embedder_version: int
    person_ids: list[str]
    accept_probability: float


@dataclass(frozen=True)
class PointsSpec:
    """A network that places points: ``images`` uint8 RGB (N, size, size, 3) → ``points`` float32 (N, P, 2).

    x and y are shares of the picture's width and height; they may lie outside it.
    """

    name: str
    size: int
    points: int


EYELIDS: Final = PointsSpec("eyelids", 64, 16)
"""Takes eyes as :func:`mien.vision.eyes.cut_eyes` cuts them. Points: the lower lid from the outer to the
inner corner (9), the upper lid without its corners (7)."""
FACE_LANDMARKS: Final = PointsSpec("face_landmarks", 112, 68)
"""Takes faces aligned to ``square15``. Points: those of the iBUG 300-W scheme."""

# Probabilities are calibrated, so one limit fits every version. It was chosen on validation people, of whose
# faces it leaves 62 % answered; how many of the answers are right then: docs/emotion.md.
EMOTION_CLASSIFIER: Final = EmotionSpec("emotion_classifier", 112, "dlib5", accept_probability=0.66)
