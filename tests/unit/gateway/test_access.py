"""Who may come in, and what is refused at the door."""

import re
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.gateway.accounts import FailedLogins, TooManyLoginsError, load_cli_token
from tests.unit.gateway.conftest import Gateway, application

OPEN_TO_ALL = {("POST", "/api/session"), ("GET", "/api/health")}
OPERATIONS = {
    (method.upper(), path)
    for path, operations in application().openapi()["paths"].items()
    for method in operations
} | {("GET", "/api/openapi.json"), ("GET", "/api/docs")}


async def test_every_operation_needs_a_session(gateway: Gateway) -> None:
    """No operation answers a stranger, but logging in and the health check."""
    let_in = set()
    for method, path in OPERATIONS:
        answer = await gateway.client.request(method, re.sub(r"{\w+}", "x", path))
        if (answer.status_code, answer.json()) != (401, {"detail": "log in first"}):
            let_in.add((method, path))
            assert answer.status_code in (200, 422), answer.text
    assert let_in == OPEN_TO_ALL


async def test_another_sites_page_changes_nothing(gateway: Gateway) -> None:
    """A request that a foreign page makes with the user's cookie is refused."""
    await gateway.log_in()
    foreign = {"Origin": "https://evil.example"}
    codes = {
        (method, path): (
            await gateway.client.request(method, re.sub(r"{\w+}", "x", path), headers=foreign)
        ).status_code
        for method, path in OPERATIONS - OPEN_TO_ALL
        if method != "GET"
    }
    assert codes == dict.fromkeys(codes, 403)


async def test_foreign_page_is_refused_by_fetch_metadata_too(gateway: Gateway) -> None:
    """A cross-site request without an origin is refused as well."""
    await gateway.log_in()
    answer = await gateway.client.post(
        "/api/people", json={"name": "Ada"}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403


async def test_own_page_may_change_things(gateway: Gateway) -> None:
    """A request with our own origin passes."""
    await gateway.log_in()
    answer = await gateway.client.post(
        "/api/people", json={"name": "Ada"}, headers={"Origin": "http://mien.test"}
    )
    assert answer.status_code == 201


async def test_session_lives_from_login_to_logout(gateway: Gateway) -> None:
    """The cookie is HttpOnly and SameSite; after logging out it opens nothing."""
    await gateway.log_in()
    cookie = gateway.client.cookies["mien_session"]
    assert (await gateway.client.get("/api/session")).json() == {"username": "admin", "role": "admin"}
    assert (await gateway.client.delete("/api/session")).status_code == 204
    answer = await gateway.client.get("/api/session", headers={"Cookie": f"mien_session={cookie}"})
    assert answer.status_code == 401


async def test_cookie_cannot_be_read_by_scripts(gateway: Gateway) -> None:
    """The cookie's attributes keep it from scripts and other sites."""
    answer = await gateway.client.post(
        "/api/session", json={"username": "admin", "password": gateway.password}
    )
    attributes = answer.headers["set-cookie"].lower()
    assert "httponly" in attributes
    assert "samesite=lax" in attributes


@pytest.mark.parametrize("username", ["admin", "nobody"])
async def test_guessing_is_slowed_down(username: str, gateway: Gateway) -> None:
    """After five wrong passwords even the right one has to wait, and the words never say what was wrong."""
    for _ in range(5):
        answer = await gateway.client.post("/api/session", json={"username": username, "password": "wrong"})
        assert answer.status_code == 401
        assert answer.json() == {"detail": "user name or password is wrong"}
    answer = await gateway.client.post(
        "/api/session", json={"username": username, "password": gateway.password}
    )
    assert answer.status_code == 429


def test_failed_logins_are_forgotten_after_a_while() -> None:
    """The limit holds for its window only, and per address."""
    failed = FailedLogins(limit=2, window_seconds=60)
    failed.add("10.0.0.1", "admin", now=0)
    failed.add("10.0.0.1", "admin", now=1)
    with pytest.raises(TooManyLoginsError, match="60 seconds"):
        failed.check("10.0.0.1", "admin", now=1)
    failed.check("10.0.0.2", "admin", now=1)
    failed.check("10.0.0.1", "admin", now=61)


async def test_changed_password_ends_other_sessions(gateway: Gateway) -> None:
    """Changing the password keeps this session and ends the others."""
    await gateway.log_in()
    other = gateway.client.cookies["mien_session"]
    gateway.client.cookies.clear()
    await gateway.log_in()
    answer = await gateway.client.put(
        "/api/session/password", json={"old_password": gateway.password, "new_password": "a new long one"}
    )
    assert answer.status_code == 204
    assert (await gateway.client.get("/api/session")).status_code == 200
    gateway.client.cookies.clear()
    answer = await gateway.client.get("/api/session", headers={"Cookie": f"mien_session={other}"})
    assert answer.status_code == 401


async def test_command_line_comes_in_by_its_token(gateway: Gateway) -> None:
    """The right token acts as an admin, a wrong one as nobody."""
    gateway.use_token()
    assert (await gateway.client.get("/api/session")).json()["role"] == "admin"
    gateway.client.headers["Authorization"] = "Bearer wrong"
    assert (await gateway.client.get("/api/session")).status_code == 401


def test_token_file_is_private_and_survives_a_restart(tmp_path: Path) -> None:
    """Only the owner reads the token; the next start uses the same."""
    path = tmp_path / "run" / "token"
    token = load_cli_token(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_cli_token(path) == token
    assert load_cli_token(None) is None


async def test_first_password_is_shown_once(
    gateway: Gateway, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A second start neither makes nor shows a password."""
    await gateway.context.accounts.create_first_user(tmp_path / "other")
    assert gateway.password not in capsys.readouterr().err
    assert not (tmp_path / "other").exists()
    assert stat.S_IMODE((tmp_path / "password").stat().st_mode) == 0o600


async def test_too_large_a_body_is_refused(gateway: Gateway) -> None:
    """A body beyond any need is refused with 413, also when it doesn't say how long it is."""
    gateway.use_token()
    big = b"x" * (1024 * 1024 + 1)
    assert (await gateway.client.post("/api/people", content=big)).status_code == 413

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(17):
            yield b"x" * 65536

    assert (await gateway.client.post("/api/people", content=chunks())).status_code == 413
