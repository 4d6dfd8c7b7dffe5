"""Everything a request may need, put together once by ``main``."""

from dataclasses import dataclass, field

from redis.asyncio import Redis

from mien.runtime.cameras import CameraDirectory, CameraRegistry
from mien.runtime.gallery import TemplateStore
from mien.runtime.rules import RuleStore
from mien.runtime.service import Service
from services.gateway.accounts import Accounts
from services.gateway.config import GatewaySettings
from services.gateway.database import Database
from services.gateway.denials import Denials
from services.gateway.enrolment import EnrolmentRoad
from services.gateway.hub import Hub
from services.gateway.looks import LooksKeeper
from services.gateway.names import Names
from services.gateway.publisher import Publisher
from services.gateway.stranger_book import StrangerBook
from services.gateway.thresholds import ThresholdDesk


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
    enrolment: EnrolmentRoad
    publisher: Publisher
    looks: LooksKeeper
    hub: Hub = field(default_factory=Hub)
