"""A headless browser on the dashboard, and what a person would read off the screen."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Page, async_playwright

from mien.bench.browser import CHROMIUM, CHROMIUM_FLAGS, sign_in


@asynccontextmanager
async def open_dashboard(
    base_url: str, *, username: str, password: str, until: str = "[data-camera-id]"
) -> AsyncIterator[Page]:
    """Sign in as a person would and stay on the live page."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        try:
            page = await browser.new_page(viewport={"width": 1440, "height": 900})
            await sign_in(page, base_url, username=username, password=password, until=until)
            yield page
        finally:
            await browser.close()


async def faces_on_tile(page: Page, camera_id: str) -> list[dict[str, Any]]:
    """Return what the tile of a camera says about each face in it: answer, name, emotion."""
    faces: list[dict[str, Any]] = await page.eval_on_selector_all(
        f'[data-camera-id="{camera_id}"] [data-testid="face"]',
        "faces => faces.map(face => ({...face.dataset}))",
    )
    return faces


async def names_on_tile(page: Page, camera_id: str) -> set[str]:
    """Return the names of the known people on a tile."""
    faces = await faces_on_tile(page, camera_id)
    return {face["person"] for face in faces if face.get("answer") == "known"}


async def answers_on_tile(page: Page, camera_id: str) -> set[str]:
    """Return the answers on a tile: known, unknown, unclear."""
    return {face["answer"] for face in await faces_on_tile(page, camera_id) if face.get("answer")}


async def tiles_show(
    page: Page, expected: dict[str, tuple[set[str], set[str]]], *, within_seconds: float
) -> None:
    """Wait until each tile shows exactly these names and these answers.

    Raises:
        AssertionError: They don't in time; says what is shown instead.
    """
    shown: dict[str, tuple[set[str], set[str]]] = {}
    try:
        async with asyncio.timeout(within_seconds):
            while shown != expected:
                shown = {
                    camera_id: (await names_on_tile(page, camera_id), await answers_on_tile(page, camera_id))
                    for camera_id in expected
                }
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise AssertionError(f"after {within_seconds} s the tiles show {shown}, not {expected}") from None
