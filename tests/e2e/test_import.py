"""A folder of photographs is brought, enrolled and undone; a photo under the wrong name in it is found."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from shutil import copy
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.e2e.browser import open_dashboard
from tests.e2e.conftest import Stack, run_stack
from tests.faces import people, require_faces

TEAM = {"Hillary_Clinton": 4, "Gray_Davis": 4, "Howard_Dean": 4}
STRAY = "Gray_Davis-happy-9.jpg"
"""Shows Hillary Clinton."""
SLOW_MS = 60_000


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack without cameras."""
    require_faces()
    with run_stack(tmp_path_factory.mktemp("import") / "home") as stack:
        yield stack


@pytest.fixture
async def page(stack: Stack) -> AsyncIterator[Page]:
    """The page of imports, signed in."""
    async with open_dashboard(stack.base_url, username="admin", password=stack.password, until="nav") as page:
        page.set_default_timeout(SLOW_MS)
        await page.goto(f"{stack.base_url}/people/import")
        yield page


@pytest.fixture
def team(tmp_path: Path) -> Path:
    """Three people, one photo under the wrong name, one broken one, and what else lies in such folders."""
    folder = tmp_path / "team"
    folder.mkdir()
    for person, count in TEAM.items():
        for number, photo in enumerate(people()[person]["enroll"][:count], start=1):
            copy(photo, folder / f"{person}-happy-{number}.jpg")
    copy(people()["Hillary_Clinton"]["probe"][2], folder / STRAY)
    (folder / "Howard_Dean-sad-7.jpg").write_bytes(b"\xff\xd8 no picture")
    (folder / "list.txt").write_text("names")
    return folder


def person_of(stack: Stack, name: str) -> dict[str, Any]:
    """Return what is known of a person."""
    return next(person for person in stack.get("/api/people") if person["name"] == name)


async def test_folder_becomes_people_and_the_stray_among_them_is_set_aside(
    stack: Stack, page: Page, team: Path
) -> None:
    """Nobody is enrolled by a preview, a reload loses nothing, and undoing leaves nothing."""
    await page.get_by_test_id("import-folder").set_input_files(team)
    await expect(page.get_by_test_id("import-person")).to_have_count(3, timeout=SLOW_MS)
    await expect(page.get_by_test_id("import-problem")).to_contain_text("Howard_Dean-sad-7.jpg")
    assert stack.get("/api/people") == []

    await page.get_by_label("Consent").fill("Signed forms, 12 March")
    await page.get_by_role("button", name="Enrol 13 photos").click()
    await expect(page.locator('[data-state="running"], [data-state="done"]')).to_be_visible(timeout=SLOW_MS)
    await page.reload()
    await expect(page.locator('[data-testid="import"][data-state="done"]')).to_be_visible(timeout=SLOW_MS)
    set_aside = page.get_by_test_id("import-problem").filter(has_text=STRAY)
    await expect(set_aside).to_contain_text("More like Hillary Clinton")

    davis = person_of(stack, "Gray Davis")
    assert (davis["consent_note"], davis["problem_count"]) == ("Signed forms, 12 March", 1)
    await page.goto(f"{stack.base_url}/people/{davis['person_id']}")
    stray = page.locator('[data-testid="photo"][data-place="to_decide"]')
    await expect(stray).to_have_count(1, timeout=SLOW_MS)
    await stray.get_by_role("button", name="Move to Hillary Clinton").click()
    await expect(stray).to_have_count(0, timeout=SLOW_MS)
    assert person_of(stack, "Hillary Clinton")["photo_count"] == 5

    await page.goto(f"{stack.base_url}/people/import")
    await page.get_by_test_id("import-row").get_by_role("link").click()
    await page.get_by_role("button", name="Undo this import").click()
    await page.get_by_role("button", name="Undo the import").click()
    await expect(page.locator('[data-testid="import"][data-state="undone"]')).to_be_visible(timeout=SLOW_MS)
    assert stack.get("/api/people") == []
