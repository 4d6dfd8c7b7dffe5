"""Everything a request may need, put together once by ``main``."""

from dataclasses import dataclass, field

from redis.asyncio import Redis

from mien.runtime.cameras import CameraDirectory, CameraRegistry
from mien.runtime.gallery import TemplateStore
from mien.runtime.rules import RuleStore
from mien.runtime.service import Service
from services.gateway.accounts import Accounts
from services.gateway.camera_questions import CameraQuestions
from services.gateway.config import GatewaySettings
from services.gateway.database import Database
from services.gateway.denials import Denials
from services.gateway.enrolment import EnrolmentRoad
from services.gateway.face_checks import FaceChecks
from services.gateway.hub import Hub
from services.gateway.imports import Imports
from services.gateway.looks import LooksKeeper
from services.gateway.names import Names
from services.gateway.photo_judge import PhotoJudge
from services.gateway.publisher import FramePublisher, Publisher
from services.gateway.stranger_book import StrangerBook
from services.gateway.thresholds import ThresholdDesk
from services.gateway.track_names import TrackNames
from services.gateway.training import TrainingDesk
from services.gateway.webcams import Webcams


@dataclass(frozen=True)
class Context:
    """The parts of a running gateway."""

    service: Service
    settings: GatewaySettings
    database: Database
    redis: Redis
    accounts: Accounts
    registry: CameraRegistry
    directory: CameraDirectory
    templates: TemplateStore
    rules: RuleStore
    names: Names
    strangers: StrangerBook
    denials: Denials
    thresholds: ThresholdDesk
    training: TrainingDesk
    photo_judge: PhotoJudge
    enrolment: EnrolmentRoad
    imports: Imports
    publisher: Publisher
    questions: CameraQuestions
    frames: FramePublisher
    webcams: Webcams
    track_names: TrackNames
    face_checks: FaceChecks
    looks: LooksKeeper
    hub: Hub = field(default_factory=Hub)
