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


@dataclass(frozen=True)
class EmotionSpec:
    """An emotion model: ``images`` uint8 RGB (N, size, size, 3) → ``probabilities`` float32 (N, 6)."""

    name: str
    size: int
    alignment: str


# One photo against 79 enrolled people with 5 photos each (LFW, own detector): 95.0 % of 422 known faces
# named rightly, 0.2 % wrongly, and 2.1 % of 800 strangers named at all. The threshold was chosen on these
# same faces, so the figures are optimistic.
FACE_EMBEDDER: Final = EmbedderSpec("face_embedder", 150, 128, "dlib5", accept_similarity=0.94, margin=0.01)
# Chosen in the same way, between two thresholds that were looked at: about 94 % of the known named rightly,
# 0.2 to 0.5 % wrongly, 2.0 to 2.8 % of 500 strangers named.
FACE_EMBEDDER_FACERES: Final = EmbedderSpec(
    "face_embedder_faceres", 224, 1024, "square15", accept_similarity=0.66, margin=0.03
)
EMBEDDERS: Final = {spec.name: spec for spec in (FACE_EMBEDDER, FACE_EMBEDDER_FACERES)}

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


EMOTION_CLASSIFIER: Final = EmotionSpec("emotion_classifier", 112, "dlib5")
