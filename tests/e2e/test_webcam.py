"""A browser with a fake camera: who is in front of it is recognised, named by a click, and enrolled."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.async_api import Page, WebSocket, async_playwright, expect

from mien.bench.browser import CHROMIUM, CHROMIUM_FLAGS
from mien.local.portraits import BIDEN, OBAMA_SMILING, OBAMA_SPEAKING, OBAMA_STANDING, read_rgb
from tests.e2e.conftest import Stack, eventually, run_stack
from tests.e2e.fake_webcam import LOOKS, write_fake_webcam


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack without a camera of its own, that knows one person."""
    folder = tmp_path_factory.mktemp("webcam")
    photos = []
    for number, portrait in enumerate((OBAMA_SPEAKING, OBAMA_STANDING)):
        photo = folder / f"{number}.jpg"
        photo.write_bytes(portrait.read_bytes())
        photos.append(photo)
    with run_stack(folder / "home") as stack:
        stack.enrol("Barack Obama", photos)
        yield stack


@asynccontextmanager
async def open_page(stack: Stack, video: Path, *, width: int = 1280) -> AsyncIterator[Page]:
    """Sign in with a browser whose camera plays a video."""
    flags = [
        *CHROMIUM_FLAGS,
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={video}",
    ]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        try:
            page = await browser.new_page(viewport={"width": width, "height": 860})
            await page.goto(stack.base_url)
            await page.get_by_label("User name").fill("admin")
            await page.get_by_label("Password", exact=True).fill(stack.password)
            await page.get_by_role("button", name="Sign in").click()
            await page.get_by_role("link", name="Webcam").wait_for()
            yield page
        finally:
            await browser.close()


@dataclass
class Conversation:
    """What a page's webcam and the gateway say to each other.

    Attributes:
        credits: With how many pictures under way the gateway begins.
        most_under_way: Pictures that were sent and had not given their credit back, at the most.
        published: Names of the pictures that went on to the detector.
        answered: Names of the pictures whose faces came back, in the order in which they came.
    """

    credits: int = 0
    most_under_way: int = 0
    published: set[str] = field(default_factory=set)
    answered: list[str] = field(default_factory=list)
    _under_way: int = 0

    def follow(self, socket: WebSocket) -> None:
        if socket.url.endswith("/api/webcam"):
            socket.on("framesent", self._hear_page)
            socket.on("framereceived", self._hear_gateway)

    def _hear_page(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self._under_way += 1
            self.most_under_way = max(self.most_under_way, self._under_way)

    def _hear_gateway(self, message: str | bytes) -> None:
        told = json.loads(message)
        if told["type"] == "opened":
            self.credits = told["credits"]
        elif told["type"] == "credit":
            self._under_way -= 1
            self.published |= {told["frame_id"]} - {None}
        else:
            self.answered.append(told["frame"]["frame_id"])

    async def has_answers(self, count: int) -> None:
        async with asyncio.timeout(30):
            while len(self.answered) < count:
                await asyncio.sleep(0.05)


def numbers(frame_ids: list[str]) -> list[int]:
    return [int(frame_id.rpartition(":")[2]) for frame_id in frame_ids]


async def test_webcam_shows_who_you_are(stack: Stack, tmp_path: Path) -> None:
    """A face has its name over the person's own video, from pictures ever newer; stopping ends it."""
    video = write_fake_webcam(tmp_path / "obama.y4m", read_rgb(OBAMA_SMILING), OBAMA_SMILING.face_xyxy)
    talk = Conversation()
    async with open_page(stack, video) as page:
        page.on("websocket", talk.follow)
        await page.get_by_role("link", name="Webcam").click()
        await page.get_by_text("Read my expression, too").click()
        await page.get_by_role("button", name="Start the webcam").click()
        face = page.locator('[data-testid="webcam"] [data-testid="face"]')
        await expect(face).to_have_attribute("data-person", "Barack Obama", timeout=20_000)
        await expect(face).not_to_have_attribute("data-emotion", "", timeout=20_000)
        await talk.has_answers(20)
        # The page knows each answer's picture as one of its own, and so how old it is.
        await expect(page.get_by_test_id("webcam")).to_have_attribute("data-latency-ms", re.compile(r"^\d+$"))
        answered = list(talk.answered)
        await talk.has_answers(len(answered) + 5)
        assert set(answered) <= talk.published
        assert numbers(answered) == sorted(set(numbers(answered)))
        assert talk.most_under_way <= talk.credits
        [camera] = stack.get("/api/cameras")
        assert (camera["name"], camera["status"]["state"]) == ("Admin's webcam", "streaming")
        assert camera["emotion_policy"] == "per_person"
        assert "asked for it" in camera["emotion_purpose"]
        await page.get_by_role("button", name="Stop").click()
        await page.get_by_role("button", name="Start the webcam").wait_for()
        eventually(lambda: stack.get("/api/cameras"), lambda cameras: not cameras, within_seconds=40)
    seen = [sighting["person_name"] for sighting in stack.get("/api/sightings")]
    assert "Barack Obama" in seen


async def test_unknown_face_is_named_by_a_click_and_loses_the_name_again(
    stack: Stack, tmp_path: Path
) -> None:
    """A face in the picture is clicked and named; it is called so at once, until that is undone."""
    video = write_fake_webcam(tmp_path / "biden.y4m", read_rgb(BIDEN), BIDEN.face_xyxy)
    stack.client.put("/api/strangers/policy", json={"keep_days": 0}).raise_for_status()
    async with open_page(stack, video) as page:
        await page.get_by_role("link", name="Webcam").click()
        await page.get_by_role("button", name="Start the webcam").click()
        face = page.locator('[data-testid="webcam"] [data-testid="face"]')
        await expect(face).to_have_attribute("data-answer", "unknown", timeout=20_000)
        await face.get_by_role("button", name="Unknown").click()
        await page.get_by_label("Name", exact=True).fill("Joe Biden")
        await page.get_by_role("button", name="Name", exact=True).click()
        await expect(face).to_have_attribute("data-person", "Joe Biden", timeout=20_000)
        [person] = [one for one in stack.get("/api/people") if one["name"] == "Joe Biden"]
        eventually(
            lambda: stack.get(f"/api/people/{person['person_id']}"),
            lambda info: info["template_count"] > 0,
            within_seconds=20,
        )
        await page.get_by_role("button", name="Undo").click()
        await expect(face).not_to_have_attribute("data-person", "Joe Biden", timeout=20_000)
        eventually(lambda: _names(stack), lambda names: names == ["Barack Obama"], within_seconds=20)


async def test_coach_collects_poses_and_expressions_and_enrols(stack: Stack, tmp_path: Path) -> None:
    """Consent first; poses are taken by themselves, expressions by a countdown; what is kept is enrolled."""
    video = write_fake_webcam(
        tmp_path / "turning.y4m", read_rgb(OBAMA_SMILING), OBAMA_SMILING.face_xyxy, looks=tuple(LOOKS)
    )
    async with open_page(stack, video, width=390) as page:
        await page.goto(f"{stack.base_url}/enrol")
        await page.get_by_label("Name", exact=True).fill("Barack")
        begin = page.get_by_role("button", name="Open the camera")
        await expect(begin).to_be_disabled()
        await page.get_by_text("I have read this and agree.").click()
        await begin.click()
        stage = page.get_by_test_id("coach-stage")
        await expect(stage).to_have_attribute("data-step", "emotion:neutral", timeout=120_000)
        for emotion in ("neutral", "happy", "sad", "angry", "tired"):
            await expect(stage).to_have_attribute("data-step", f"emotion:{emotion}", timeout=30_000)
            await page.get_by_role("button", name="I'm ready").click()
        cards = page.get_by_test_id("taken")
        await expect(cards).to_have_count(10, timeout=30_000)
        [person] = [one for one in stack.get("/api/people") if one["name"] == "Barack"]
        assert person["photo_count"] == 0  # nothing is stored before it is kept
        assert "agreed at the webcam" in person["consent_note"]
        await cards.first.get_by_role("button", name="Drop").click()
        await page.get_by_role("button", name="Keep these 9 pictures").click()
        outcome = page.get_by_test_id("enrol-outcome")
        await expect(outcome).to_have_attribute("data-enrolled", "9", timeout=30_000)
        photos = stack.get(f"/api/people/{person['person_id']}/photos")
        assert sorted(photo["emotion_label"] for photo in photos if photo["emotion_label"]) == [
            "angry", "happy", "neutral", "sad", "tired",
        ]  # fmt: skip
        await page.get_by_role("button", name="Delete everything", exact=True).first.click()
        await page.locator("dialog").get_by_role("button", name="Delete everything").click()
        await page.get_by_text("Everything from this session is deleted.").wait_for()
    assert _names(stack) == ["Barack Obama"]


def _names(stack: Stack) -> list[str]:
    return [person["name"] for person in stack.get("/api/people")]
