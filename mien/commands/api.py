"""What the commands that talk to a running gateway share: a client, and errors in words."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import typer
from rich.console import Console

from mien.local.home import Home, NotRunningError

out = Console()
err = Console(stderr=True)


@contextmanager
def gateway() -> Iterator[httpx.Client]:
    """Yield a client of the running gateway; whatever goes wrong is told in words and exits with 1."""
    try:
        with Home.locate().open_api() as client:
            yield client
    except NotRunningError as error:
        _fail(str(error))
    except httpx.ConnectError as error:
        _fail(f"the gateway at {error.request.url.copy_with(path='/')} does not answer: is mien up running?")
    except httpx.HTTPError as error:
        _fail(f"{type(error).__name__}: {error}")


def answer(response: httpx.Response) -> Any:
    """Return what the gateway answered; a refusal is told in its own words and exits with 1."""
    if response.is_success:
        return response.json() if response.content else None
    try:
        detail = response.json()["detail"]
    except (ValueError, KeyError, TypeError):
        detail = response.text[:500]
    _fail(f"{response.status_code}: {_in_words(detail)}")
    return None


def _in_words(detail: object) -> str:
    if isinstance(detail, list):  # FastAPI's list of invalid fields
        return "; ".join(f"{'.'.join(map(str, item['loc'][1:]))}: {item['msg']}" for item in detail)
    return str(detail)


def _fail(message: str) -> None:
    err.print(f"[red]{message}[/]", highlight=False, markup=True)
    raise typer.Exit(1)
