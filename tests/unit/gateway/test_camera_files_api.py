"""Importing and exporting cameras over REST."""

from typing import Any

import httpx
import pytest

from tests.unit.gateway.conftest import Gateway

FILE = b"name,url,username,password\nDoor,rtsp://10.0.0.2/1,admin,hunter2\nYard,rtsp://10.0.0.3/1,,\nX,gopher://a,,\n"


async def post(client: httpx.AsyncClient, what: str, content: bytes = FILE, **form: str) -> Any:
    """Upload a file and return what came of it."""
    answer = await client.post(
        f"/api/camera-files/{what}", files={"file": ("cameras.csv", content)}, data=form
    )
    assert answer.status_code == 200, answer.text
    assert "hunter2" not in answer.text
    return answer.json()


async def camera_ids(client: httpx.AsyncClient) -> list[str]:
    """Return who is registered."""
    return [camera["camera_id"] for camera in (await client.get("/api/cameras")).json()]


async def test_preview_changes_nothing(gateway_with_redis: Gateway) -> None:
    """It tells what would be added, without passwords, and what not and why."""
    client = gateway_with_redis.client
    preview = await post(client, "preview")
    assert (preview["format"], preview["new"], preview["invalid"]) == ("csv", 2, 1)
    door, _, wrong = preview["cameras"]
    assert (door["camera_id"], door["username"], door["has_password"]) == ("door", "admin", True)
    assert wrong["place"] == "line 4"
    assert "starts with one of" in wrong["why"]
    assert await camera_ids(client) == []
    assert (await client.get("/api/camera-files/imports")).json() == []


async def test_import_in_steps_is_one_import_and_can_be_taken_back(gateway_with_redis: Gateway) -> None:
    """Cameras that somebody has edited meanwhile stay."""
    client = gateway_with_redis.client
    first = await post(client, "import", first="0", count="1")
    assert ([one["name"] for one in first["added"]], first["next"]) == (["Door"], 1)
    import_id = first["import_id"]
    rest = await post(client, "import", first="1", count="5", import_id=import_id)
    assert (rest["import_id"], rest["next"]) == (import_id, None)
    assert await camera_ids(client) == ["door", "yard"]
    assert (await client.get("/api/cameras/door")).json()["has_password"]

    (noted,) = (await client.get("/api/camera-files/imports")).json()
    assert (noted["camera_ids"], noted["filename"]) == (["door", "yard"], "cameras.csv")
    await client.patch("/api/cameras/yard", json={"name": "Back yard"})
    undone = await client.delete(f"/api/camera-files/imports/{import_id}")
    assert undone.json() == {"removed": ["door"], "kept": ["yard"]}
    again = await client.delete(f"/api/camera-files/imports/{import_id}")
    assert again.json() == {"removed": [], "kept": ["yard"]}


async def test_second_import_of_a_file_adds_nothing(gateway_with_redis: Gateway) -> None:
    """What is there already is told as such."""
    client = gateway_with_redis.client
    await post(client, "import")
    assert (await post(client, "import"))["added"] == []
    assert (await post(client, "preview"))["duplicates"] == 2


async def test_values_of_variables_are_filled_in(gateway_with_redis: Gateway) -> None:
    """They come beside the file, and are kept as passwords are."""
    client = gateway_with_redis.client
    frigate = (
        b"cameras: {door: {ffmpeg: {inputs: [{path: 'rtsp://a:{FRIGATE_PW}@10.0.0.2/1', roles: [detect]}]}}}"
    )
    assert (await post(client, "preview", frigate))["needs"] == ["FRIGATE_PW"]
    preview = await post(client, "preview", frigate, variables='{"FRIGATE_PW": "hunter2"}')
    assert (preview["new"], preview["cameras"][0]["url"]) == (1, "rtsp://10.0.0.2/1")


@pytest.mark.parametrize(
    ("content", "form", "words"),
    [
        (b"nothing of this kind", {}, "expected a CSV file"),
        (FILE, {"variables": "no JSON"}, "JSON object"),
        (FILE, {"variables": '{"a": 1}'}, "JSON object"),
    ],
)
async def test_what_is_wrong_with_a_file_is_told(
    gateway_with_redis: Gateway, content: bytes, form: dict[str, str], words: str
) -> None:
    """422, in words."""
    answer = await gateway_with_redis.client.post(
        "/api/camera-files/preview", files={"file": ("x", content)}, data=form
    )
    assert answer.status_code == 422
    assert words in answer.json()["detail"]


async def test_import_that_never_was_can_neither_go_on_nor_be_taken_back(gateway_with_redis: Gateway) -> None:
    """404, and nothing is added."""
    client = gateway_with_redis.client
    answer = await client.post(
        "/api/camera-files/import", files={"file": ("x.csv", FILE)}, data={"import_id": "unknown"}
    )
    assert answer.status_code == 404
    assert (await client.delete("/api/camera-files/imports/unknown")).status_code == 404
    assert await camera_ids(client) == []


@pytest.mark.parametrize("file_format", ["yaml", "csv"])
async def test_export_leads_back_to_the_same_cameras(gateway_with_redis: Gateway, file_format: str) -> None:
    """All that are there are duplicates of it."""
    client = gateway_with_redis.client
    await post(client, "import")
    answer = await client.get(f"/api/camera-files/export?format={file_format}")
    exported = answer.json()
    assert exported["filename"] == f"cameras.{file_format}"
    assert "hunter2" not in exported["text"]
    assert (await post(client, "preview", exported["text"].encode()))["duplicates"] == 2


async def test_nobody_imports_without_a_login(gateway: Gateway) -> None:
    """As with everything else."""
    answer = await gateway.client.post("/api/camera-files/preview", files={"file": ("x.csv", FILE)})
    assert answer.status_code == 401
