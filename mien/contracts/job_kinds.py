"""Which trainings there are, and what each can be given: the forms of the dashboard."""

from typing import Final, Literal

import msgspec

from mien.contracts.models import EMOTION_CLASSIFIER, FACE_EMBEDDER, IDENTITY_CLASSIFIER, SERVED_EMBEDDERS


class JobOption(msgspec.Struct, frozen=True, kw_only=True):
    """A number, or one of several words, that a training can be given.

    Attributes:
        meaning: In words for whoever chooses.
        least, most: Bounds of a number.
        choices: The words; empty for a number.
        is_rarely_changed: Shown only to who asks for more.
    """

    name: str
    title: str
    meaning: str
    default: int | float | str
    least: float = 0.0
    most: float = 0.0
    choices: list[str] = []
    is_rarely_changed: bool = False


class JobKind(msgspec.Struct, frozen=True, kw_only=True):
    """A training that can be asked for from the dashboard, ``mien train KIND``.

    Attributes:
        model: Whose next version comes of it.
        trains_on: The enrolled people, a folder of the server, or either the photos of enrolled people whose
            expression is known or a folder.
        least_groups: People, or labels, that there must be at least.
        least_pictures: Of each; who has fewer is left out.
    """

    kind: str
    title: str
    meaning: str
    model: str
    trains_on: Literal["people", "folder", "expressions"]
    least_groups: int
    least_pictures: int
    options: list[JobOption]


def _training_options(*, epochs: int, patience: int) -> list[JobOption]:
    return [
        JobOption(
            name="epochs", title="Epochs", meaning="Most rounds over all pictures.",
            default=epochs, least=1, most=10_000, is_rarely_changed=True,
        ),
        JobOption(
            name="patience", title="Patience", meaning="Stop after so many rounds without a better network.",
            default=patience, least=1, most=1_000, is_rarely_changed=True,
        ),
        *_STEP_OPTIONS,
    ]  # fmt: skip


_STEP_OPTIONS: Final = [
    JobOption(
        name="batch_size", title="Batch", meaning="Pictures of one step.",
        default=64, least=1, most=4_096, is_rarely_changed=True,
    ),
    JobOption(
        name="learning_rate", title="Learning rate", meaning="Of Adam.",
        default=0.001, least=1e-6, most=1, is_rarely_changed=True,
    ),
    JobOption(
        name="seed", title="Seed", meaning="The same seed gives the same network.",
        default=1, least=0, most=2**31 - 1, is_rarely_changed=True,
    ),
]  # fmt: skip
JOB_KINDS: Final = {
    kind.kind: kind
    for kind in (
        JobKind(
            kind="identity",
            title="Identity classifier",
            meaning="Learns to tell the enrolled people apart. With MIEN_RECOGNIZER_DECISION=both it decides"
            " among those whom the gallery accepts.",
            model=IDENTITY_CLASSIFIER,
            trains_on="people",
            least_groups=2,
            least_pictures=3,
            options=[
                JobOption(
                    name="embedder",
                    title="Embedder",
                    meaning="The one that the recognizers use.",
                    default=FACE_EMBEDDER.name,
                    choices=[model.name for model in SERVED_EMBEDDERS],
                ),
                JobOption(
                    name="copies",
                    title="Views of each face",
                    meaning="Mirrored, turned and shifted copies that are learnt from, too.",
                    default=8,
                    least=0,
                    most=200,
                ),
                *_training_options(epochs=200, patience=15),
                JobOption(
                    name="open_set_folds",
                    title="Groups of strangers",
                    meaning="People held out by turns, to see what strangers are called; 0: not measured.",
                    default=3,
                    least=0,
                    most=20,
                    is_rarely_changed=True,
                ),
            ],
        ),
        JobKind(
            kind="emotion",
            title="Emotion network",
            meaning="Learns to read expressions. Its report says how right it is about people whom it never"
            " saw.",
            model=EMOTION_CLASSIFIER.name,
            trains_on="expressions",
            least_groups=2,
            least_pictures=3,
            options=[
                JobOption(
                    name="network",
                    title="Network",
                    meaning="strong: a head on three networks, takes minutes. student: 4 million parameters,"
                    " takes thousands of pictures and hours.",
                    default="strong",
                    choices=["strong", "student"],
                ),
                JobOption(
                    name="copies",
                    title="Views of each face",
                    meaning="Mirrored, turned and shifted copies, in another light; for the strong network.",
                    default=1,
                    least=0,
                    most=50,
                ),
                *_training_options(epochs=60, patience=12),
                JobOption(
                    name="most_per_label",
                    title="Most of each label",
                    meaning="Learn from so many faces of each label at most; 0: from all.",
                    default=0,
                    least=0,
                    most=1_000_000,
                    is_rarely_changed=True,
                ),
            ],
        ),
    )
}
"""By kind."""
