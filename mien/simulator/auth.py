"""Authentication as cameras ask for it: HTTP basic and digest (RFC 2617, MD5), and the tokens of ONVIF."""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from mien.simulator.camera import SimulatedCamera

Scheme = Literal["basic", "digest"]
# Cameras refuse tokens that are older by their own clock.
_TOKEN_AGE: Final = timedelta(seconds=30)


@dataclass(frozen=True)
class UserToken:
    """Who asks over ONVIF (WS-UsernameToken profile 1.0): texts as they came, empty where there was none.

    Attributes:
        digest: Base64 of SHA-1 over nonce, time and password.
        nonce: In base64.
        created: When it was made, by the camera's clock, in ISO 8601.
    """

    username: str
    digest: str
    nonce: str
    created: str


@dataclass(frozen=True)
class Credentials:
    """What a simulated camera asks for.

    Attributes:
        scheme: Digest by default, as cameras do.
    """

    username: str
    password: str = field(repr=False)
    scheme: Scheme = "digest"
    realm: str = "camera"
    nonce: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def challenge(self) -> str:
        """Value of the ``WWW-Authenticate`` header."""
        if self.scheme == "basic":
            return f'Basic realm="{self.realm}"'
        return f'Digest realm="{self.realm}", nonce="{self.nonce}", algorithm=MD5'

    def accept(self, authorization: str | None, method: str) -> bool:
        """Whether the ``Authorization`` header of a request proves the password."""
        scheme, _, rest = (authorization or "").partition(" ")
        if scheme.lower() != self.scheme:
            return False
        if self.scheme == "basic":
            expected = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
            return hmac.compare_digest(rest.strip(), expected)
        return self._accept_digest(rest, method)

    def accept_token(self, token: UserToken, *, now: datetime) -> bool:
        """Whether a token proves the password, and is new by the camera's clock."""
        try:
            age = now - datetime.fromisoformat(token.created)
            nonce = base64.b64decode(token.nonce, validate=True)
        except (ValueError, TypeError):
            return False
        secret = nonce + token.created.encode() + self.password.encode()
        expected = base64.b64encode(hashlib.sha1(secret, usedforsecurity=False).digest()).decode()
        is_right = hmac.compare_digest(token.digest.encode(), expected.encode())
        return is_right and token.username == self.username and abs(age) <= _TOKEN_AGE

    def _accept_digest(self, rest: str, method: str) -> bool:
        fields = dict(re.findall(r'(\w+)="?([^",]*)"?', rest))
        if fields.get("username") != self.username or fields.get("nonce") != self.nonce:
            return False
        secret = _md5(f"{self.username}:{self.realm}:{self.password}")
        request = _md5(f"{method}:{fields.get('uri', '')}")
        middle = self.nonce
        if "qop" in fields:
            middle = f"{self.nonce}:{fields.get('nc', '')}:{fields.get('cnonce', '')}:{fields['qop']}"
        return hmac.compare_digest(fields.get("response", ""), _md5(f"{secret}:{middle}:{request}"))


def asked_of(camera: SimulatedCamera | None, credentials: Credentials | None) -> Credentials | None:
    """Return what a camera asks for now: one that rejects everybody asks for what nobody has."""
    if camera is None or not camera.faults.reject:
        return credentials
    nobody = secrets.token_hex(16)
    return replace(credentials, password=nobody) if credentials else Credentials(nobody, nobody)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
