"""The ``mien`` command: a table of subcommands, of which only the one that was asked for is imported."""

import sys
from importlib import import_module
from typing import Final

import typer

# Subcommand: (module, its Typer application or function, what the overview says).
COMMANDS: Final = {
    "up": ("mien.commands.stack", "up", "Run everything on this machine."),
    "demo": ("mien.commands.stack", "demo", "Run everything, with demo cameras and people."),
    "status": ("mien.commands.stack", "status", "Show what runs."),
    "doctor": ("mien.commands.doctor", "doctor", "Say what is missing, and the command that fixes it."),
    "cameras": ("mien.commands.cameras", "app", "Find, test, add, list, edit and remove cameras."),
    "readings": ("mien.commands.readings", "app", "Emotion and tiredness: where, what for, and a stop."),
    "people": ("mien.commands.people", "app", "Add people and enrol their photographs."),
    "secrets": ("mien.commands.secrets", "app", "Make and replace the keys of cameras' passwords."),
    "models": ("mien.commands.models", "app", "Build, list and check the models."),
    "dataset": ("mien.commands.dataset", "app", "Make faces to train on out of photos."),
    "train": ("mien.commands.train", "app", "Train networks of your own, and look at the jobs."),
    "bench": ("mien.commands.bench", "app", "Measure, and write the figures down."),
    "evaluate": ("mien.commands.evaluate", "app", "Measure how right it is, on labelled data."),
    "replay": ("mien.commands.replay", "app", "Record what cameras send, and show it again."),
    "camera-simulator": (
        "mien.commands.camera_simulator",
        "camera_simulator",
        "Serve video files as RTSP cameras.",
    ),
}


def build_app(arguments: list[str]) -> typer.Typer:
    """Return the application with the subcommand of *arguments* imported, and the others by name only."""
    app = typer.Typer(
        help="Mien: faces and feelings from many cameras, live.",
        no_args_is_help=True,
        pretty_exceptions_show_locals=False,  # they may hold a password
        add_completion=False,
    )
    wanted = next((argument for argument in arguments if not argument.startswith("-")), None)
    for name, (module, attribute, summary) in COMMANDS.items():
        if name != wanted:
            app.command(name, help=summary)(_not_imported)
            continue
        target = getattr(import_module(module), attribute)
        if isinstance(target, typer.Typer):
            app.add_typer(target, name=name, help=summary)
        else:
            app.command(name)(target)
    return app


def main() -> None:
    """Run the subcommand that the arguments name."""
    build_app(sys.argv[1:])(prog_name="mien")


def _not_imported() -> None:
    """Stand for a subcommand in the overview."""


if __name__ == "__main__":
    main()
