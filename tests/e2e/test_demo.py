"""The README's first command, as far as it goes after everything is installed."""

from pathlib import Path

from tests.e2e.browser import open_dashboard, tiles_show
from tests.e2e.conftest import REPOSITORY, eventually, run_stack
from tests.stack import cannot_run

OBAMA, BIDEN = "Barack Obama", "Joe Biden"


async def test_demo_names_two_people_and_leaves_the_third_a_stranger(tmp_path: Path) -> None:
    """Whoever runs the demo sees the people it introduced, on four real RTSP cameras."""
    if not (REPOSITORY / "var" / "demo" / "lobby.mp4").exists():
        cannot_run("the demo's clips are not made: run bin/mien setup")
    with run_stack(tmp_path / "home", command="demo") as stack:
        async with open_dashboard(stack.base_url, username="admin", password=stack.password) as page:
            await tiles_show(
                page,
                {
                    "lobby": ({OBAMA}, {"known"}),
                    "front-desk": ({BIDEN}, {"known", "unknown"}),
                    "corridor": ({OBAMA, BIDEN}, {"known", "unknown"}),
                },
                within_seconds=60,
            )
            assert await page.get_by_text("Demo", exact=True).count() == 4
        people = {person["name"]: person for person in stack.get("/api/people")}
        assert set(people) == {OBAMA, BIDEN}
        assert "only photograph" in people[BIDEN]["demo_note"]
    with run_stack(tmp_path / "home", command="up") as stack:
        # Without the demo nothing simulates its cameras.
        eventually(lambda: stack.get("/api/cameras"), lambda cameras: cameras == [], within_seconds=20)
