"""`mien secrets`: the keys that cameras' passwords are encrypted with."""

from pathlib import Path
from typing import Annotated

import typer

from mien.commands.api import err, out
from mien.local.home import Home
from mien.runtime.secrets import add_key, drop_old_keys, new_key

app = typer.Typer(no_args_is_help=True)

KeyFile = Annotated[
    Path | None, typer.Option(help="File of the keys; that of MIEN_HOME otherwise.", show_default=False)
]


@app.command("new-key")
def print_new_key() -> None:
    """Print a new key, for MIEN_SECRETS_KEYS."""
    print(new_key())


@app.command()
def rotate(key_file: KeyFile = None) -> None:
    """Put a new key before those there are. Restart Mien then: it encrypts all passwords with the new one."""
    path = key_file or Home.locate().secret_keys
    try:
        count = add_key(path)
    except OSError as error:
        err.print(f"[red]{path}: {error.strerror}[/]", highlight=False)
        raise typer.Exit(1) from error
    out.print(
        f"{path} holds {count} keys now, the newest first. Restart Mien, so that its gateway encrypts all "
        "passwords with it; then the old ones can go: mien secrets drop-old",
        highlight=False,
    )


@app.command("drop-old")
def drop_old(key_file: KeyFile = None) -> None:
    """Remove all keys but the newest. What was encrypted with them and not since is lost."""
    path = key_file or Home.locate().secret_keys
    try:
        count = drop_old_keys(path)
    except OSError as error:
        err.print(f"[red]{path}: {error.strerror}[/]", highlight=False)
        raise typer.Exit(1) from error
    out.print(f"{count} old keys are removed from {path}", highlight=False)
