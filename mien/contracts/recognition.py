"""What recognizers share in Redis: faces of strangers, and what people have said about who is who.

Each kind is a hash that every recognizer holds in memory (:mod:`mien.runtime.replicated_hash`). Vectors are
float32, little-endian, of unit length; those of different embedders are never compared.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import msgspec

RULES_KEY: Final = "mien:recognition"
"""Hash of rule id → :data:`Rule`."""
DEFAULT_KEEP_DAYS: Final = 7.0
DAY_SECONDS: Final = 24 * 3600


def strangers_key(embedder: str) -> str:
    """Hash of member id → :class:`StrangerMember` made by this embedder."""
    return f"mien:strangers:{embedder}"


def track_vector_key(track_id: str) -> str:
    """:class:`TrackVector` of a track that was given a name, so that the naming can be corrected."""
    return f"mien:track-vector:{track_id}"


class TrackVector(msgspec.Struct, frozen=True, kw_only=True):
    """What a track's shots point to on average."""

    model: str
    model_version: int
    vector: bytes


class StrangerMember(TrackVector, frozen=True, kw_only=True):
    """One visit of a stranger: what a track of somebody unknown looked like.

    Attributes:
        member_id: The track's id, with a suffix where the tracker followed several people under it.
        stranger_id: The stranger it was counted to; see :meth:`Rules.root_of` for who that is by now.
        quality: Of the best shot, 0 to 1.
        seen_at_ns: When the last of its shots was taken, Unix time.
    """

    member_id: str
    stranger_id: str
    camera_id: str
    quality: float
    seen_at_ns: int


class Denial(msgspec.Struct, frozen=True, kw_only=True, tag="denial"):
    """Somebody said of a track: this is not that person.

    Attributes:
        vector: What the track looked like; None when that was no longer known, and then it teaches nothing.
    """

    track_id: str
    person_id: str
    denied_at_ns: int
    vector: TrackVector | None = None


class InactivePerson(msgspec.Struct, frozen=True, kw_only=True, tag="inactive"):
    """A person who must be neither named nor counted as a stranger."""

    person_id: str


class Calibration(msgspec.Struct, frozen=True, kw_only=True, tag="calibration"):
    """Thresholds fitted to a gallery, instead of the embedder's own.

    Attributes:
        false_accept_rate: Share of strangers' faces that may be given a name; what was asked for.
        person_thresholds: Stricter thresholds of people whom others resemble, by person id.
        basis: What decided: ``cohort``, the embedder's figures; ``gallery``, the people's own resemblance.
        people, templates: How many there were when it was made.
    """

    embedder: str
    model_version: int
    false_accept_rate: float
    accept_similarity: float
    reject_similarity: float
    calibrated_at_ns: int
    person_thresholds: dict[str, float] = {}
    basis: Literal["gallery", "cohort"] = "cohort"
    people: int = 0
    templates: int = 0


class StrangerPolicy(msgspec.Struct, frozen=True, kw_only=True, tag="stranger_policy"):
    """For how long strangers are remembered; 0 days: not at all."""

    keep_days: float = DEFAULT_KEEP_DAYS


class StrangersJoined(msgspec.Struct, frozen=True, kw_only=True, tag="joined"):
    """Two strangers are one: whoever was counted to the first belongs to the second."""

    stranger_id: str
    into_stranger_id: str


class StrangersApart(msgspec.Struct, frozen=True, kw_only=True, tag="apart"):
    """Two strangers are not one, however much they resemble each other: somebody said so."""

    stranger_ids: tuple[str, str]


Rule = Denial | InactivePerson | Calibration | StrangerPolicy | StrangersJoined | StrangersApart
_DECODER: Final = msgspec.msgpack.Decoder(Rule)


def rule_id(rule: Rule) -> str:
    """Return the field that a rule is kept in: a second rule about the same replaces the first."""
    match rule:
        case Denial():
            return f"denial:{rule.track_id}"
        case InactivePerson():
            return f"inactive:{rule.person_id}"
        case Calibration():
            return f"calibration:{rule.embedder}"
        case StrangerPolicy():
            return "stranger-policy"
        case StrangersJoined():
            return f"joined:{rule.stranger_id}"
        case StrangersApart():
            return "apart:" + ":".join(sorted(rule.stranger_ids))


@dataclass(frozen=True)
class Rules:
    """All rules at one moment.

    Attributes:
        joined: The stranger that another was joined into, by the other's id; may be a chain.
        calibrations: By embedder.
    """

    generation: int = -1
    denials: Sequence[Denial] = ()
    inactive_people: frozenset[str] = frozenset()
    calibrations: Mapping[str, Calibration] = field(default_factory=dict)
    stranger_policy: StrangerPolicy = field(default_factory=StrangerPolicy)
    joined: Mapping[str, str] = field(default_factory=dict)
    apart: frozenset[frozenset[str]] = frozenset()

    @classmethod
    def of(cls, rules: Iterable[Rule], *, generation: int) -> "Rules":
        """Sort rules by their kind."""
        by_kind: dict[type[Any], list[Any]] = {}
        for rule in rules:
            by_kind.setdefault(type(rule), []).append(rule)
        policies: list[StrangerPolicy] = by_kind.get(StrangerPolicy, [])
        return cls(
            generation=generation,
            denials=tuple(by_kind.get(Denial, ())),
            inactive_people=frozenset(rule.person_id for rule in by_kind.get(InactivePerson, ())),
            calibrations={rule.embedder: rule for rule in by_kind.get(Calibration, ())},
            stranger_policy=policies[0] if policies else StrangerPolicy(),
            joined={rule.stranger_id: rule.into_stranger_id for rule in by_kind.get(StrangersJoined, ())},
            apart=frozenset(frozenset(rule.stranger_ids) for rule in by_kind.get(StrangersApart, ())),
        )

    def root_of(self, stranger_id: str) -> str:
        """Return the stranger whom this one counts as by now; itself when it was never joined."""
        seen = {stranger_id}
        while (into := self.joined.get(stranger_id)) is not None and into not in seen:
            seen.add(into)
            stranger_id = into
        return stranger_id


def encode_record(record: Rule | StrangerMember | TrackVector) -> bytes:
    """Encode a record as MessagePack."""
    return msgspec.msgpack.encode(record)


def decode_rule(value: bytes) -> Rule:
    """Decode any rule."""
    rule: Rule = _DECODER.decode(value)
    return rule


@dataclass(frozen=True)
class SimilarityLimits:
    """What an embedder's similarities mean beside its accept threshold.

    Attributes:
        unclear_width: From this much below the accept threshold on nothing can be said; below that, the face
            is nobody we know.
        disagree_similarity: A shot less like the mean of its track than this is somebody else.
        stranger_similarity: From here on a visit is counted to a stranger.
        twin_similarity: From here on two strangers are one.
        impostor_similarities: For rates of one in ten, in a hundred, and so on: the similarity that pairs of
            faces of different people reach at this rate. Empty where nobody has measured it.
        stray_lead: A photo is under the wrong name when it is this much more like somebody else's than like
            its own person's others.
        duplicate_similarity: From here on two photos are copies of one.
    """

    unclear_width: float
    disagree_similarity: float
    stranger_similarity: float
    twin_similarity: float
    impostor_similarities: tuple[float, ...] = ()
    stray_lead: float = 2.0
    duplicate_similarity: float = 1.1


# By ``python -m tests.bench.bench_limits``: LFW with our own detector, 4,549 photos, 2,086 people, 10
# million pairs of different ones. The disagreement threshold takes none of 3,100 photos for somebody else's
# than the mean of two others of the same person (faceres 0.2 %, fused none), and catches 91 % of another
# person's (90 %, 85 %); photos of one person differ far more than shots of one track. Strangers: 200
# people, up to six visits each, three draws, of two photos: purity 0.99 to 1.00, 1.02 to 1.03 strangers per
# person (faceres 0.98 to 1.00, 1.09 to 1.11; fused 0.98 to 1.00, 1.01 to 1.03); of one photo, the hardest
# case: purity 1.00, 1.6 to 2.1 per person.
# Strays: `mien evaluate enrolment`. Copies: of 1,237 LFW photos of 79 people the four pairs that are copies,
# or other crops, of one picture were above (0.9952 and more; faceres 0.9645, fused 0.9936), all others below
# (0.9927; faceres 0.948, fused 0.9893).
_LIMITS: Final = {
    "face_embedder": SimilarityLimits(
        unclear_width=0.01,
        disagree_similarity=0.895,
        stranger_similarity=0.957,
        twin_similarity=0.97,
        impostor_similarities=(0.8830, 0.9106, 0.9284, 0.9421, 0.9536),
        stray_lead=0.01,
        duplicate_similarity=0.9935,
    ),
    "face_embedder_faceres": SimilarityLimits(
        unclear_width=0.03,
        disagree_similarity=0.50,
        stranger_similarity=0.75,
        twin_similarity=0.79,
        impostor_similarities=(0.4652, 0.5540, 0.6167, 0.6651, 0.7023),
        stray_lead=0.03,
        duplicate_similarity=0.956,
    ),
    "face_embedder_fused": SimilarityLimits(
        unclear_width=0.012,
        disagree_similarity=0.865,
        stranger_similarity=0.945,
        twin_similarity=0.958,
        impostor_similarities=(0.8603, 0.8893, 0.9084, 0.9238, 0.9366),
        stray_lead=0.012,
        duplicate_similarity=0.991,
    ),
}
_CAUTIOUS: Final = SimilarityLimits(
    unclear_width=0.0, disagree_similarity=-1.0, stranger_similarity=1.1, twin_similarity=1.1
)


def limits_of(embedder: str) -> SimilarityLimits:
    """Return what is known of an embedder; one nobody has measured restarts, joins and sets aside nothing."""
    return _LIMITS.get(embedder, _CAUTIOUS)
