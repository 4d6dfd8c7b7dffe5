"""Somebody who imports photos, and the rest of the road behind them."""

import io
import zipfile
from typing import Any

import numpy as np
from PIL import Image
from sqlalchemy import select

from mien.contracts.events import PhotoRejected, TemplateCreated
from mien.contracts.models import FACE_EMBEDDER
from mien.contracts.shared_state import Template
from mien.runtime.event_loop import Received
from mien.vision.similarity import encode_vector, unit
from services.gateway.tables import Photo
from tests.samples import QUALITY
from tests.unit.gateway.conftest import Gateway

CONSENT = {"consent_note": "Signed forms, 12 March"}


def picture(number: int) -> bytes:
    encoded = io.BytesIO()
    Image.new("RGB", (64, 64), (number * 8, 40, 40)).save(encoded, "JPEG")
    return encoded.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    encoded = io.BytesIO()
    with zipfile.ZipFile(encoded, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return encoded.getvalue()


class Importer:
    """Somebody who imports, and the rest of the road behind them."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.url = ""

    async def begin(self, files: dict[str, bytes] | None = None) -> None:
        answer = await self.gateway.client.post("/api/imports", json={"source": "team"})
        assert answer.status_code == 201, answer.text
        self.url = f"/api/imports/{answer.json()['import_id']}"
        if files:
            await self.bring(files)

    async def bring(self, files: dict[str, bytes]) -> dict[str, Any]:
        upload = [("photos", (path, content, "image/jpeg")) for path, content in files.items()]
        answer = await self.gateway.client.post(f"{self.url}/photos", files=upload)
        assert answer.status_code == 202, answer.text
        return dict(answer.json())

    async def bring_archive(self, files: dict[str, bytes]) -> dict[str, Any]:
        upload = {"archive": ("team.zip", zipped(files), "application/zip")}
        answer = await self.gateway.client.post(f"{self.url}/archive", files=upload)
        assert answer.status_code == 202, answer.text
        return dict(answer.json())

    async def commit(self) -> None:
        answer = await self.gateway.client.post(f"{self.url}/commit", json=CONSENT)
        assert answer.status_code == 200, answer.text

    async def work(self) -> bool:
        return await self.gateway.context.imports.work()

    async def answer_photos(self, *, reject: str = "") -> None:
        """Stand for detector and recognizer: each photo becomes a template, or is rejected by its name."""
        photos = await self.gateway.context.database.run(
            lambda session: session.scalars(select(Photo).where(Photo.status == "pending")).all()
        )
        for number, photo in enumerate(photos):
            event: TemplateCreated | PhotoRejected
            common: dict[str, Any] = {
                "camera_id": "", "event_id": photo.photo_id, "captured_at_ns": 0,
                "photo_id": photo.photo_id, "person_id": photo.person_id,
            }  # fmt: skip
            if reject and reject in photo.filename:
                event = PhotoRejected(**common, reason="no_face", explanation="Expected a face, found none.")
            else:
                vector = np.zeros(128, np.float32)
                vector[[hash(photo.person_id) % 60, 60 + number % 60]] = 1.0, 0.3
                template = Template(
                    template_id=photo.photo_id, person_id=photo.person_id, photo_id=photo.photo_id,
                    model=FACE_EMBEDDER.name, model_version=1, vector=encode_vector(unit(vector)),
                )  # fmt: skip
                await self.gateway.context.templates.add(template)
                event = TemplateCreated(
                    **common, template_id=photo.photo_id, model=FACE_EMBEDDER.name, model_version=1,
                    quality=QUALITY, face_jpeg=b"face",
                )  # fmt: skip
            await self.gateway.context.enrolment.settle([Received(event, partition=0, offset=number)])
        await self.gateway.context.photo_judge.judge()

    async def info(self) -> dict[str, Any]:
        return dict((await self.gateway.client.get(self.url)).json())

    async def people(self) -> dict[str, int]:
        listed = (await self.gateway.client.get("/api/people")).json()
        return {one["name"]: one["photo_count"] for one in listed}
