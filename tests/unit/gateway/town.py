"""A gateway through which strangers pass."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from mien.contracts.cameras import Camera
from mien.contracts.events import StrangerSeen, StrangerWithdrawn
from mien.contracts.models import FACE_EMBEDDER
from mien.contracts.recognition import StrangerMember
from mien.runtime.event_loop import Received
from mien.runtime.strangers import StrangerStore
from services.gateway.tables import Sighting
from tests.unit.gateway.conftest import Gateway

NOW = datetime.now(UTC)


CAMERA = Camera(camera_id="door", name="Door", url="rtsp://x", partition=0)


class Town:
    """A gateway, its recognizers' Redis, and the people who pass."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.context = gateway.context
        self.store = StrangerStore(self.context.redis, FACE_EMBEDDER.name)

    async def visit(
        self, stranger_id: str, track_id: str, *, quality: float = 0.8, days_ago: float = 0.0
    ) -> None:
        """Let a stranger pass: what recognizer and gateway write of that."""
        seen_at = NOW - timedelta(days=days_ago)
        seen_at_ns = int(seen_at.timestamp() * 1e9)
        camera_id = track_id.split(":", maxsplit=1)[0]
        member = StrangerMember(
            member_id=track_id, stranger_id=stranger_id, camera_id=camera_id, model=FACE_EMBEDDER.name,
            model_version=1, vector=b"\0" * 512, quality=quality, seen_at_ns=seen_at_ns,
        )  # fmt: skip
        await self.store.write([member])
        await self.note(
            StrangerSeen(
                camera_id=camera_id, event_id=f"{track_id} {quality}", captured_at_ns=seen_at_ns,
                member_id=track_id, track_id=track_id, stranger_id=stranger_id, quality=quality,
                face_jpeg=f"face {track_id} {quality}".encode(),
            )
        )  # fmt: skip

        def add(session: Session) -> None:
            sighting = Sighting(
                track_id=track_id, camera_id=camera_id, camera_name=camera_id, answer="unknown",
                stranger_id=stranger_id, started_at=seen_at, ended_at=seen_at,
            )  # fmt: skip
            session.merge(sighting)

        await self.context.database.run(add)

    async def note(self, event: StrangerSeen | StrangerWithdrawn) -> None:
        await self.context.strangers.note([Received(event, 0, 0)])

    async def members(self) -> dict[str, str]:
        """Return whose each visit is for recognizers."""
        found = (await self.store.read()).members
        return {id_: member.stranger_id for id_, member in found.items() if member}

    async def get(self, path: str) -> Any:
        answer = await self.gateway.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, **body: object) -> Any:
        answer = await self.gateway.client.post(path, json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def labels(self) -> list[str]:
        return [stranger["label"] for stranger in await self.get("/api/strangers")]

    async def history(self, **query: bool) -> list[tuple[str, str | None, str | None]]:
        answer = await self.gateway.client.get("/api/sightings", params=query)
        return sorted((row["track_id"], row["person_name"], row["stranger_label"]) for row in answer.json())
