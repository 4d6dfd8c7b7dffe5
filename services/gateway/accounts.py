"""Users and their logins: argon2 hashes, sessions as hashed random tokens, slow guesses."""

import asyncio
import hashlib
import hmac
import secrets
import sys
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import structlog
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from mien.errors import MienError
from services.gateway.database import Database, audit
from services.gateway.tables import LoginSession, User, utc_now

log = structlog.get_logger()

ADMIN: Final = "admin"


class LoginRefusedError(MienError):
    """User name or password is wrong; never says which."""


class TooManyLoginsError(MienError):
    """Too many wrong passwords from this address for this user."""


@dataclass(frozen=True)
class Principal:
    """Who is asking, and from where."""

    username: str
    role: str
    address: str = ""


class FailedLogins:
    """Counts wrong passwords by address and user; forgets after a while, and the oldest when full."""

    def __init__(self, *, limit: int = 5, window_seconds: float = 300.0, capacity: int = 10_000) -> None:
        self._limit = limit
        self._window_seconds = window_seconds
        self._capacity = capacity
        self._failures: OrderedDict[tuple[str, str], list[float]] = OrderedDict()

    def check(self, address: str, username: str, *, now: float) -> None:
        """Refuse when there were too many of late.

        Raises:
            TooManyLoginsError: Says how long to wait.
        """
        recent = [at for at in self._failures.get((address, username), []) if now - at < self._window_seconds]
        if len(recent) >= self._limit:
            wait = int(self._window_seconds - (now - recent[0])) + 1
            raise TooManyLoginsError(f"too many wrong passwords: try again in {wait} seconds")

    def add(self, address: str, username: str, *, now: float) -> None:
        """Count a wrong password."""
        failures = self._failures.pop((address, username), [])
        self._failures[address, username] = [*failures[-self._limit + 1 :], now]
        if len(self._failures) > self._capacity:
            self._failures.popitem(last=False)

    def clear(self, address: str, username: str) -> None:
        """Forget the failures after a right password."""
        self._failures.pop((address, username), None)


class Accounts:
    """Logs people in and out, and knows the command line by its token."""

    def __init__(
        self,
        database: Database,
        *,
        session_hours: float,
        cli_token: str | None,
        hasher: PasswordHasher | None = None,
    ) -> None:
        self._database = database
        self._hasher = hasher or PasswordHasher()
        # Verified when the user doesn't exist, so that the answer takes as long as for one who does.
        self._nobody_hash = self._hasher.hash(secrets.token_urlsafe())
        self._lifetime = timedelta(hours=session_hours)
        self._cli_token = cli_token
        self._failed = FailedLogins()
        # A hash takes 64 MiB and a core: two at once, however many knock.
        self._hashing = asyncio.Semaphore(2)

    async def create_first_user(self, password_path: Path | None) -> None:
        """Create the admin when there is nobody yet, and say the password once."""
        if await self._database.run(lambda session: session.scalar(select(User.username).limit(1))):
            return
        password = secrets.token_urlsafe(12)
        user = User(username=ADMIN, password_hash=await self._hash(password), role="admin")
        try:
            await self._database.run(lambda session: session.add(user))
        except IntegrityError:
            return  # another gateway on the same database was quicker
        if password_path is not None:
            await asyncio.to_thread(write_private, password_path, password)
        _show_password(password)

    async def log_in(self, username: str, password: str, *, address: str) -> tuple[str, Principal]:
        """Return a new session's token and whose it is.

        Raises:
            LoginRefusedError: User name or password is wrong.
            TooManyLoginsError: It was wrong too often.
        """
        self._failed.check(address, username, now=time.monotonic())
        user = await self._database.run(lambda session: session.get(User, username))
        if (
            not await self._verify(user.password_hash if user else self._nobody_hash, password)
            or user is None
        ):
            self._failed.add(address, username, now=time.monotonic())
            await self._database.run(
                lambda session: audit(session, actor=username, address=address, action="login.refused")
            )
            raise LoginRefusedError("user name or password is wrong")
        self._failed.clear(address, username)
        token = secrets.token_urlsafe(32)

        def begin(session: Session) -> None:
            session.execute(delete(LoginSession).where(LoginSession.expires_at < utc_now()))
            session.add(
                LoginSession(
                    token_sha256=_sha256(token), username=username, expires_at=utc_now() + self._lifetime
                )
            )
            audit(session, actor=username, address=address, action="login.accepted")

        await self._database.run(begin)
        return token, Principal(username, user.role, address)

    async def find_session(self, token: str, *, address: str = "") -> Principal | None:
        """Return whose session this is, or None when it is none or has expired."""

        def find(session: Session) -> Principal | None:
            row = session.execute(
                select(User.username, User.role)
                .join(LoginSession, LoginSession.username == User.username)
                .where(LoginSession.token_sha256 == _sha256(token), LoginSession.expires_at > utc_now())
            ).one_or_none()
            return None if row is None else Principal(row.username, row.role, address)

        return await self._database.run(find)

    def find_cli(self, token: str, *, address: str = "") -> Principal | None:
        """Return the command line's principal when this is its token."""
        if self._cli_token is None or not hmac.compare_digest(token.encode(), self._cli_token.encode()):
            return None
        return Principal("cli", "admin", address)

    async def log_out(self, token: str) -> None:
        """End a session; ending it twice is no error."""
        await self._database.run(
            lambda session: session.execute(
                delete(LoginSession).where(LoginSession.token_sha256 == _sha256(token))
            )
        )

    async def change_password(
        self, principal: Principal, old_password: str, new_password: str, *, token: str
    ) -> None:
        """Change a password and end all other sessions of the user.

        Raises:
            LoginRefusedError: The old password is wrong.
            TooManyLoginsError: It was wrong too often.
        """
        username = principal.username
        self._failed.check(principal.address, username, now=time.monotonic())
        user = await self._database.run(lambda session: session.get(User, username))
        if user is None or not await self._verify(user.password_hash, old_password):
            self._failed.add(principal.address, username, now=time.monotonic())
            raise LoginRefusedError("the old password is wrong")
        new_hash = await self._hash(new_password)

        def change(session: Session) -> None:
            session.get_one(User, username).password_hash = new_hash
            session.execute(
                delete(LoginSession).where(
                    LoginSession.username == username, LoginSession.token_sha256 != _sha256(token)
                )
            )
            audit(session, actor=username, address=principal.address, action="password.changed")

        await self._database.run(change)

    async def _hash(self, password: str) -> str:
        async with self._hashing:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def _verify(self, password_hash: str, password: str) -> bool:
        async with self._hashing:
            return await asyncio.to_thread(self._matches, password_hash, password)

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (Argon2Error, InvalidHashError):
            return False


def load_cli_token(path: Path | None) -> str | None:
    """Return the command line's token, writing a new one when the file isn't there; None without a file."""
    if path is None:
        return None
    if path.is_file() and (token := path.read_text().strip()):
        return token
    token = secrets.token_urlsafe(32)
    write_private(path, token)
    return token


def write_private(path: Path, secret: str) -> None:
    """Write a file that only its owner can read, also where one was before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(secret + "\n")


def _show_password(password: str) -> None:
    lines = (
        "First start: log in as",
        f"    user      {ADMIN}",
        f"    password  {password}",
        "It is not shown again: change it.",
    )
    width = max(map(len, lines))
    box = [f"│ {line:<{width}} │" for line in lines]
    # Straight to the terminal: a box inside a JSON line would help nobody.
    print("\n".join([f"╭{'─' * (width + 2)}╮", *box, f"╰{'─' * (width + 2)}╯"]), file=sys.stderr, flush=True)


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
