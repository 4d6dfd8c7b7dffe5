"""Somebody opens the dashboard and sees who is there; whatever dies heals by itself."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
import simplejpeg
from aiokafka import AIOKafkaProducer
from playwright.async_api import Page

from mien.contracts.events import encode_event
from mien.contracts.topics import FRAMES, IDENTITY_FACES
from tests.e2e.browser import faces_on_tile, names_on_tile, open_dashboard, tiles_show
from tests.e2e.conftest import KNOWN, Stack, eventually, run_cameras
from tests.samples import face_shot

NAMES = {name.replace("_", " ") for name in KNOWN}


@pytest.fixture
async def page(stack: Stack) -> AsyncIterator[Page]:
    """The dashboard in a headless browser, signed in."""
    async with open_dashboard(stack.base_url, username="admin", password=stack.password) as page:
        yield page


async def sees_right_names(page: Page, *, within_seconds: float) -> None:
    """Wait until the screen shows both known people on one tile and only strangers on the other."""
    await tiles_show(
        page, {"entrance": (NAMES, {"known"}), "yard": (set(), {"unknown"})}, within_seconds=within_seconds
    )


async def test_right_names_on_right_tiles_and_a_stranger_stays_unknown(page: Page, tmp_path: Path) -> None:
    """The whole way from a camera to the screen."""
    await sees_right_names(page, within_seconds=60)
    faces = await faces_on_tile(page, "entrance")
    assert all(face.get("emotion") for face in faces), "emotion is on for this camera"
    assert await names_on_tile(page, "yard") == set()
    await page.screenshot(path=tmp_path / "live.png")


# How long each service may take to heal: the session timeout of 6 s, a restart, and a first answer.
@pytest.mark.parametrize(
    "name", ["recognizer", "emotion", "detector", "ingest", "model-server", "gateway", "redis", "kafka"]
)
async def test_killed_service_is_replaced_and_the_screen_heals(stack: Stack, page: Page, name: str) -> None:
    """SIGKILL anything: within a minute it runs again and the same page shows new pictures with names."""
    await sees_right_names(page, within_seconds=60)
    killed = stack.kill(name)
    await asyncio.to_thread(
        eventually,
        stack.processes,
        lambda now: now[name]["pid"] not in {killed, None} and now[name]["state"] == "ready",
        within_seconds=60,
    )
    before = await drawn_frame_ids(page)
    async with asyncio.timeout(60):
        while any(
            frame_id == before.get(camera) for camera, frame_id in (await drawn_frame_ids(page)).items()
        ):
            await asyncio.sleep(0.2)
    await sees_right_names(page, within_seconds=60)


async def drawn_frame_ids(page: Page) -> dict[str, str]:
    """Return the last frame that the page has drawn of each camera."""
    drawn: dict[str, dict[str, str]] = await page.evaluate("window.__mien.lastDrawn")
    return {camera_id: frame["frameId"] for camera_id, frame in drawn.items()}


async def test_poison_on_the_topics_is_buried_and_everything_goes_on(stack: Stack, page: Page) -> None:
    """A corrupt picture and an event of no known version cost themselves and nothing else."""
    await sees_right_names(page, within_seconds=60)
    camera = stack.get("/api/cameras/entrance")
    settings = stack.kafka_address()
    producer = AIOKafkaProducer(bootstrap_servers=settings)
    await producer.start()
    try:
        broken_shot = face_shot(camera_id="entrance", track_id="entrance:0:1", crop_jpeg=b"\xff\xd8 broken")
        future = msgspec.msgpack.encode({"camera_id": 7, "version": "from the future"})
        for topic, value in (
            (FRAMES.name, b"\xff\xd8 no picture"),
            (FRAMES.name, b""),
            (IDENTITY_FACES.name, future),
            (IDENTITY_FACES.name, encode_event(broken_shot)),
        ):
            await producer.send_and_wait(topic, value, partition=camera["partition"])
    finally:
        await producer.stop()
    buried: Counter[str] = Counter()
    async with asyncio.timeout(30):
        # Broken frames of one second share a letter: a camera gone mad must not flood them.
        while buried[FRAMES.name] < 1 or buried[IDENTITY_FACES.name] < 2:
            buried = Counter(letter.topic for letter in await stack.dead_letters())
    assert set(buried) == {FRAMES.name, IDENTITY_FACES.name}
    assert buried[IDENTITY_FACES.name] == 2, "each event is buried once"
    await sees_right_names(page, within_seconds=30)


async def test_model_server_that_hangs_is_named_on_the_screen_and_nothing_is_lost(
    stack: Stack, page: Page
) -> None:
    """Pictures go on, the page says what is missing, and the waiting faces get their names afterwards."""
    await sees_right_names(page, within_seconds=60)
    pid = int(stack.processes()["model-server"]["pid"])
    os.kill(pid, signal.SIGSTOP)
    try:
        strip = page.get_by_test_id("trouble")
        await strip.filter(has_text="model server").wait_for(timeout=30_000)
        before = await drawn_frame_ids(page)
        async with asyncio.timeout(10):
            while await drawn_frame_ids(page) == before:
                await asyncio.sleep(0.2)
    finally:
        os.kill(pid, signal.SIGCONT)
    await strip.wait_for(state="hidden", timeout=30_000)
    await sees_right_names(page, within_seconds=30)


async def test_camera_that_cannot_be_reached_says_why(
    stack: Stack, clips: dict[str, Path], page: Page
) -> None:
    """A wrong password and a closed port are told apart, in words, where the user looks."""
    with run_cameras(
        [clips["yard"]], "--username", "user", "--password-stdin", password="right"
    ) as simulator:
        address = simulator["cameras"]["yard"]["rtsp"]
        stack.add_camera("wrong-password", address, username="user", password="wrong")
        stack.add_camera("nobody-home", "rtsp://127.0.0.1:9/nothing")
        for camera_id, state in (("wrong-password", "auth_failed"), ("nobody-home", "backoff")):
            camera = await asyncio.to_thread(
                eventually,
                lambda camera_id=camera_id: stack.get(f"/api/cameras/{camera_id}"),
                lambda camera, state=state: camera["status"]["state"] == state,
                within_seconds=30,
            )
            assert camera["status"]["reason"]
            assert "wrong" not in camera["status"]["reason"].replace("wrong user name or password", "")
            await page.wait_for_selector(f'[data-camera-id="{camera_id}"][data-state="{state}"]')
        fixed = stack.client.patch("/api/cameras/wrong-password", json={"password": "right"})
        fixed.raise_for_status()
        await page.wait_for_selector(
            '[data-camera-id="wrong-password"][data-state="streaming"]', timeout=30_000
        )
    for camera_id in ("wrong-password", "nobody-home"):
        stack.client.delete(f"/api/cameras/{camera_id}").raise_for_status()


async def test_upload_that_is_no_face_is_refused_in_words(stack: Stack) -> None:
    """Text, a bomb and an empty wall are refused one by one, each with its reason."""
    person = stack.client.post("/api/people", json={"name": "Nobody"}).json()
    bomb = (
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
        + (100_000).to_bytes(4) * 2
        + b"\x08\x02\x00\x00\x00\x00\x00\x00\x00"
    )
    wall = simplejpeg.encode_jpeg(np.full((480, 640, 3), 180, dtype=np.uint8))
    files = [
        ("photos", ("notes.txt", b"hello", "text/plain")),
        ("photos", ("bomb.png", bomb, "image/png")),
        ("photos", ("wall.jpg", wall, "image/jpeg")),
    ]
    stack.client.post(f"/api/people/{person['person_id']}/photos", files=files).raise_for_status()
    photos = await asyncio.to_thread(
        eventually,
        lambda: stack.get(f"/api/people/{person['person_id']}/photos"),
        lambda photos: {photo["status"] for photo in photos} == {"rejected"},
        within_seconds=30,
    )
    reasons = {photo["filename"]: photo["reason"] for photo in photos}
    assert reasons == {"notes.txt": "not_an_image", "bomb.png": "not_an_image", "wall.jpg": "no_face"}
    assert all(photo["explanation"] for photo in photos)
    stack.client.delete(f"/api/people/{person['person_id']}").raise_for_status()


async def test_a_camera_is_judged_by_who_passes_it(stack: Stack, page: Page) -> None:
    """Faces that stay count after ten seconds; the page shows them, and what the pictures came to."""
    await sees_right_names(page, within_seconds=60)
    report = await asyncio.to_thread(
        eventually,
        lambda: stack.get("/api/cameras/entrance/fitness"),
        lambda report: len(report["faces"]) >= len(KNOWN),
        within_seconds=40,
    )
    assert all(face["face_px"] > 60 for face in report["faces"])
    work = stack.get("/api/cameras/entrance/work")
    assert work["captured"] > work["sampled"] > 0
    assert work["looked_at"] > 0
    assert work["faces"] > work["identity_shots"] > 0
    await page.goto(f"{stack.base_url}/cameras/entrance")
    await page.get_by_role("img", name="Face size: typically").wait_for()
    await page.get_by_text("were looked at").wait_for()


async def test_faces_in_a_zone_that_is_drawn_over_them_do_not_count(stack: Stack, page: Page) -> None:
    """Clicks on the live picture become a polygon, keys move it, faces in it go; Undo brings them back."""

    async def shows_faces(count: int) -> None:
        async with asyncio.timeout(20):
            while len(await faces_on_tile(page, "entrance")) != count:
                await asyncio.sleep(0.2)

    await page.goto(f"{stack.base_url}/cameras/entrance")
    await page.wait_for_selector('[data-testid="tile"][data-drawn]', timeout=20_000)
    await page.get_by_role("button", name="Draw a zone").click()
    board = await page.get_by_test_id("zone-canvas").bounding_box()
    assert board is not None
    await shows_faces(len(KNOWN))
    corners = [(0.02, 0.02), (0.5, 0.02), (0.5, 0.95), (0.02, 0.95)]
    for x, y in corners:
        await page.mouse.click(board["x"] + x * board["width"], board["y"] + y * board["height"])
    await page.keyboard.press("Enter")
    await page.get_by_text("Everything", exact=True).click()
    await page.get_by_role("button", name="Zone 1: Everything ignored").press("ArrowDown")
    await page.get_by_role("button", name="Save zones").click()
    await page.get_by_text("Zones are saved.").wait_for()
    (zone,) = stack.get("/api/cameras/entrance")["ignored_zones"]
    assert zone["ignores"] == "everything"
    assert zone["points_xy"] == [pytest.approx((x, y + 0.01), abs=0.005) for x, y in corners]
    await shows_faces(len(KNOWN) - 1)
    await page.get_by_role("button", name="Undo").click()
    await shows_faces(len(KNOWN))
    assert stack.get("/api/cameras/entrance")["ignored_zones"] == []


async def test_emotion_is_read_only_where_it_is_switched_on(stack: Stack, page: Page) -> None:
    """Turning the policy off takes the emotion off the screen within seconds, and on brings it back."""
    await sees_right_names(page, within_seconds=60)
    stack.client.patch("/api/cameras/yard", json={"emotion_policy": "off"}).raise_for_status()

    async def emotions() -> list[str]:
        faces = await faces_on_tile(page, "yard")
        return [face.get("emotion", "") for face in faces]

    async with asyncio.timeout(20):
        while any(await emotions()) or not await emotions():
            await asyncio.sleep(0.2)
    refused = stack.client.patch(
        "/api/cameras/yard", json={"emotion_policy": "per_person", "emotion_purpose": ""}
    )
    assert refused.status_code == 422
    body = {"emotion_policy": "per_person", "emotion_purpose": "test", "context": "public"}
    stack.client.patch("/api/cameras/yard", json=body).raise_for_status()
    async with asyncio.timeout(20):
        while not all(await emotions()) or not await emotions():
            await asyncio.sleep(0.2)
