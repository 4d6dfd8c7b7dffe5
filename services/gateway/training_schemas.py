"""What the REST interface takes and gives about training."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from mien.contracts.jobs import JobState
from services.gateway.schemas import Schema

OptionValue = int | float | str


class JobOptionInfo(Schema):
    """A number between *least* and *most*, or one of *choices*, that a training can be given."""

    name: str
    title: str
    meaning: str
    default: OptionValue
    least: float
    most: float
    choices: list[str]
    is_rarely_changed: bool


class JobKindInfo(Schema):
    """A training that can be asked for; people or labels with fewer than *least_pictures* are left out."""

    kind: str
    title: str
    meaning: str
    model: str
    trains_on: Literal["people", "folder", "expressions"]
    least_groups: int
    least_pictures: int
    options: list[JobOptionInfo]


class TrainerInfo(Schema):
    """Whether anything can be trained, and what helps where it can't.

    ``off``: the gateway has no folder of jobs; ``away``: no trainer runs; ``not_installed``: one does, and
    lacks *missing_packages*, which *install_command* installs.
    """

    state: Literal["off", "away", "not_installed", "idle", "working"]
    missing_packages: list[str]
    install_command: str | None


class JobInfo(Schema):
    """A training, as it was asked for and how it ended; *accuracy* and *macro_f1* of what was held out."""

    job_id: str
    kind: str
    title: str
    state: JobState
    started_at: datetime
    ended_at: datetime | None
    explanation: str
    requested_by: str
    accuracy: float | None
    macro_f1: float | None
    version: int | None
    has_report: bool


class StepInfo(Schema):
    """A part of a training's work; *seconds_left* as far as it can be told by the pace so far."""

    step: str
    done: int
    total: int
    seconds_left: float | None


class CurvePoint(Schema):
    """The figures after an epoch, by name."""

    epoch: int
    figures: dict[str, float]


class JobDetail(JobInfo):
    """A training with all that can be told of it."""

    options: dict[str, OptionValue | bool | dict[str, str] | list[str] | None]
    steps: list[StepInfo]
    epochs_at_most: int | None
    curves: list[CurvePoint]
    queue_position: int | None


class JobRequest(Schema):
    """A training to begin: *source* as the data preview names it; options that are absent are defaults."""

    kind: Annotated[str, StringConstraints(max_length=40)]
    source: Annotated[str, StringConstraints(max_length=200)] = ""
    options: dict[str, OptionValue] = Field(default_factory=dict, max_length=40)


class DataGroup(Schema):
    """The pictures of a person or a label, and whether they are enough to be trained on."""

    name: str
    person_id: str | None = None
    pictures: int
    is_enough: bool


class DataSource(Schema):
    """What could be trained on; *explanation* says why it can't where it is not ready.

    *not_learnt* are labels that this kind of training doesn't know.
    """

    source: str
    title: str
    groups: list[DataGroup]
    not_learnt: list[DataGroup]
    pictures: int
    is_ready: bool
    explanation: str


class ModelVersion(Schema):
    """A version of a model, with the figures of the training that it came of, where they are still there."""

    version: int
    labels: list[str]
    made_from: str
    made_at: datetime
    job_id: str | None
    accuracy: float | None
    has_report: bool


class ModelVersions(Schema):
    """A trained model's versions, the newest first; rolling back makes *previous* stable again."""

    model: str
    title: str
    versions: list[ModelVersion]
    can_roll_back: bool


class LabelWanted(Schema):
    """Which version is to have a label."""

    version: Annotated[int, Field(ge=1)]


class TrainingInfo(Schema):
    """All about training at a glance."""

    trainer: TrainerInfo
    kinds: list[JobKindInfo]
    jobs: list[JobInfo]
    models: list[ModelVersions]
    datasets_folder: str | None
