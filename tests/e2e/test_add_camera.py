"""Somebody adds cameras: one that is found, after a wrong password, and a file of them."""

import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.e2e.browser import open_dashboard
from tests.e2e.conftest import Stack, run_cameras, run_stack
from tests.integration.ingest.harness import write_clip

USERNAME, PASSWORD = "admin", "p&ss<1>"
LOOPBACK = "127.0.0.1"
SLOW_MS = 40_000
# Tests that run at the same time have cameras on the loopback, too.
CAMERA = f"door-{uuid.uuid4().hex[:6]}"


@pytest.fixture
def onvif_camera(tmp_path: Path) -> Iterator[None]:
    """A camera with a small and a large stream, that is found by whoever searches."""
    clips = [
        write_clip(tmp_path / f"{CAMERA}.mp4", size_wh=(640, 360)),
        write_clip(tmp_path / f"{CAMERA}-main.mp4", size_wh=(1600, 900)),
    ]
    options = ("--onvif-port", "0", "--username", USERNAME, "--password-stdin")
    with run_cameras(clips, *options, password=PASSWORD):
        yield


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack without cameras, that looks for them on the loopback."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIEN_INGEST_SEARCH_INTERFACES", LOOPBACK)
        with run_stack(tmp_path_factory.mktemp("e2e") / "home") as stack:
            yield stack


@pytest.fixture
async def page(stack: Stack) -> AsyncIterator[Page]:
    """The page of cameras, signed in."""
    async with open_dashboard(stack.base_url, username="admin", password=stack.password, until="nav") as page:
        page.set_default_timeout(SLOW_MS)
        await page.goto(f"{stack.base_url}/cameras")
        yield page


@pytest.mark.usefixtures("onvif_camera")
async def test_camera_is_found_tested_and_added(page: Page, stack: Stack, tmp_path: Path) -> None:
    """From the empty page to a picture, with a wrong password on the way."""
    await page.screenshot(path=tmp_path / "empty.png")
    await page.get_by_role("button", name="Add a camera").first.click()
    found = page.get_by_role("button", name=CAMERA)
    await expect(found).to_be_visible(timeout=SLOW_MS)
    await page.screenshot(path=tmp_path / "found.png")
    await found.click()

    await page.get_by_label("User name").fill(USERNAME)
    await page.get_by_label("Password").fill("wrong")
    await page.get_by_role("button", name="Connect").click()
    await expect(page.get_by_role("alert")).to_contain_text("Wrong user name or password", timeout=SLOW_MS)
    await page.screenshot(path=tmp_path / "wrong-password.png")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Connect").click()

    await expect(page.get_by_text("It works.")).to_be_visible(timeout=SLOW_MS)
    picture = page.get_by_alt_text("What the camera sees")
    await expect(picture).to_be_visible()
    await page.wait_for_function("() => document.querySelector('.test__picture img').naturalWidth > 0")
    await page.screenshot(path=tmp_path / "works.png")
    await page.set_viewport_size({"width": 390, "height": 844})
    await page.screenshot(path=tmp_path / "works-narrow.png")
    await page.set_viewport_size({"width": 1440, "height": 900})

    await page.get_by_label("Name", exact=True).fill("Front door")
    await page.get_by_role("button", name="Add camera").click()
    await expect(page.get_by_test_id("camera-card")).to_have_attribute(
        "data-state", "streaming", timeout=SLOW_MS
    )
    (camera,) = stack.get("/api/cameras")
    assert (camera["name"], camera["has_password"]) == ("Front door", True)
    assert camera["url"].endswith(f"/{CAMERA}")
    assert camera["main_stream_url"].endswith(f"/{CAMERA}-main")


async def test_search_in_vain_says_why_and_what_to_do(page: Page, tmp_path: Path) -> None:
    """Nothing found is common; an address leads on all the same."""
    await page.emulate_media(color_scheme="dark")
    await page.set_viewport_size({"width": 390, "height": 844})
    await page.get_by_role("button", name="Add a camera").first.click()
    await expect(page.get_by_text("does not cross routers")).to_be_visible(timeout=SLOW_MS)
    await expect(page.get_by_role("button", name="Search again")).to_be_visible()
    await page.screenshot(path=tmp_path / "nothing-found.png")
    await page.get_by_label("Address").fill("rtsp://u:p@127.0.0.1:1/x")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("User name")).to_have_value("u")
    await page.get_by_role("button", name="Connect").click()
    await expect(page.get_by_role("alert")).to_contain_text("nothing listens on this port", timeout=SLOW_MS)
    await expect(page.get_by_role("button", name="Add it all the same")).to_be_enabled()
    await page.screenshot(path=tmp_path / "refused.png")


async def test_file_of_cameras_is_previewed_imported_and_taken_back(
    page: Page, stack: Stack, tmp_path: Path
) -> None:
    """Entries that can't be added say why; undo removes those that were."""
    before = len(stack.get("/api/cameras"))
    file = tmp_path / "config.yml"
    file.write_text(
        "cameras:\n"
        "  gate:\n    ffmpeg: {inputs: [{path: 'rtsp://u:{FRIGATE_PW}@10.0.0.9/1', roles: [detect]}]}\n"
        "  yard:\n    enabled: false\n    ffmpeg: {inputs: [{path: 'rtsp://10.0.0.8/1', roles: [detect]}]}\n"
        "  bell:\n    ffmpeg: {inputs: [{path: 'exec:rm', roles: [detect]}]}\n"
    )
    await page.get_by_role("button", name="Import").click()
    await page.get_by_label("File").set_input_files(file)
    await expect(page.get_by_test_id("import")).to_contain_text("1 new, 0 there already, 2 that can't")
    await page.get_by_label("FRIGATE_PW").fill("secret")
    await page.get_by_label("FRIGATE_PW").blur()
    await expect(page.get_by_role("button", name="Add 2 cameras")).to_be_visible()
    await page.screenshot(path=tmp_path / "import.png")
    await page.get_by_role("button", name="Add 2 cameras").click()
    undo = page.get_by_role("button", name="Undo")
    await expect(undo).to_be_visible()
    assert len(stack.get("/api/cameras")) == before + 2
    await undo.click()
    await expect(page.get_by_text("2 cameras removed.")).to_be_visible()
    assert len(stack.get("/api/cameras")) == before
