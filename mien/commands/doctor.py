"""`mien doctor`: what is missing, and the command that fixes it."""

import typer
from rich.console import Console

from mien.local.doctor import examine
from mien.local.home import Home


def doctor() -> None:
    """Say what this machine lacks, and the command that fixes it; exits with 1 if Mien can't run."""
    console = Console()
    can_run = True
    for finding in examine(Home.locate()):
        mark = (
            "[green]ok[/]     "
            if finding.is_well
            else "[red]missing[/]"
            if finding.needed
            else "[yellow]note[/]   "
        )
        console.print(f"{mark} {finding.name}: {finding.detail}", highlight=False, soft_wrap=True)
        if not finding.is_well:
            console.print(f"        fix: [bold]{finding.fix}[/]", highlight=False, soft_wrap=True)
            can_run = can_run and not finding.needed
    if not can_run:
        raise typer.Exit(1)
