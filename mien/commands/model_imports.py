"""`mien models import`: embedders whose weights no package carries."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from mien.errors import MienError, PermanentError
from mien.vision.alignment import ALIGNMENTS
from model_repo import onnx_embedder, repository
from model_repo.face_embedder_vggface import build as vgg_face
from model_repo.face_embedder_vggface.weights import Colours, Descriptor, read_weights
from model_repo.onnx_embedder import Preprocessing
from model_repo.repository import RECIPES
from model_repo.sources import file_sha256

app = typer.Typer(help="Import weights that no package carries.", no_args_is_help=True)

_TOLERANCE = 1e-4
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_out = Console()
_err = Console(stderr=True)


class _Alignment(StrEnum):
    DLIB5 = "dlib5"
    ARCFACE5 = "arcface5"
    SQUARE15 = "square15"


class _Descriptor(StrEnum):
    FC8 = "fc8"
    FC6 = "fc6"


class _Colours(StrEnum):
    RGB = "rgb"
    BGR = "bgr"


assert set(_Alignment) == set(ALIGNMENTS)

Root = Annotated[Path, typer.Option(help="Model repository to work on.", file_okay=False)]
Accept = Annotated[
    float | None,
    typer.Option(min=-1, max=1, help="Similarity from which two faces are one person, if it is known."),
]
Margin = Annotated[
    float, typer.Option(min=0, max=1, help="How much nearer the best person must be than the next.")
]


@app.command("vgg-face")
def import_vgg_face(
    file: Annotated[
        Path,
        typer.Argument(help="Keras .h5, MatConvNet .mat or Caffe .caffemodel", exists=True, dir_okay=False),
    ],
    root: Root = repository.ROOT,
    descriptor: Annotated[
        _Descriptor, typer.Option(help="fc8: 2622 numbers; fc6: the 4096 of the first fully connected layer.")
    ] = _Descriptor.FC8,
    colours: Annotated[
        _Colours | None,
        typer.Option(help="What the weights expect. Without it: bgr for .caffemodel, rgb for the others."),
    ] = None,
    accept_similarity: Accept = None,
    margin: Margin = 0.0,
) -> None:
    """Turn VGG-Face weights that you have into a model.

    No package carries them. They come from the Visual Geometry Group of the University of Oxford, whose terms
    (non-commercial research at the time of writing) bind whoever uses them: read the model card first.
    """
    layer: Descriptor = descriptor.value
    expected: Colours | None = colours.value if colours else None
    name = vgg_face.NAMES[layer]
    try:
        with _out.status("reading the weights"):
            weights = read_weights(file, descriptor=layer, colours=expected)
            model = vgg_face.build(weights, layer, accept_similarity=accept_similarity, margin=margin)
            origin = _origin(file)
        with _out.status("writing the model, about 0.5 GB"):
            repository.publish(model, root / name / "1", origin=origin)
    except (MienError, OSError) as error:
        _fail(f"VGG-Face was not imported. {error}")
    _say(f"{name} is ready in {root}, from {origin['source']}, colours as {weights.colours}")
    _say_how_to_use(name, accept_similarity)


@app.command("onnx")
def import_onnx(  # noqa: PLR0913, PLR0917 - each is an option of the command line
    file: Annotated[Path, typer.Argument(help="The network, .onnx", exists=True, dir_okay=False)],
    name: Annotated[str, typer.Option(help="Name of the model: small letters, digits, underscores.")],
    alignment: Annotated[
        _Alignment, typer.Option(help="How the network wants its faces.")
    ] = _Alignment.ARCFACE5,
    size: Annotated[int, typer.Option(min=16, max=1024, help="Side of its pictures in pixels.")] = 112,
    mean: Annotated[float, typer.Option(help="Taken off each pixel, 0 to 255.")] = 127.5,
    scale: Annotated[float, typer.Option(min=1e-6, help="What is left is divided by this.")] = 127.5,
    colours: Annotated[_Colours, typer.Option(help="The order that the network expects.")] = _Colours.RGB,
    output: Annotated[
        str | None, typer.Option(help="Value in the network to take instead of its first output.")
    ] = None,
    version: Annotated[int, typer.Option(min=1, help="A changed network is a new version.")] = 1,
    accept_similarity: Accept = None,
    margin: Margin = 0.0,
    root: Root = repository.ROOT,
) -> None:
    """Turn a face embedder in ONNX, such as one of the ArcFace family, into a model.

    The network becomes a SavedModel with the pixels' normalisation in it. Before it is put in place, both are
    run on the same pictures and compared.
    """
    preprocessing = Preprocessing(mean, scale, bgr=colours is _Colours.BGR)
    try:
        _check_name(name)
        with _out.status("translating the network"):
            model = onnx_embedder.build(
                file,
                size=size,
                preprocessing=preprocessing,
                alignment=alignment.value,
                output=output,
                accept_similarity=accept_similarity,
                margin=margin,
            )
            origin = _origin(file)

        def check(draft: Path) -> None:
            difference = onnx_embedder.largest_difference(
                file, draft, size=size, preprocessing=preprocessing, output=output
            )
            if not difference <= _TOLERANCE:
                raise PermanentError(
                    f"{file}: the translation differs from the network by {difference:.1e}, expected at most "
                    f"{_TOLERANCE:.0e}"
                )

        with _out.status("writing the model, and comparing it with the network"):
            repository.publish(model, root / name / str(version), origin=origin, check=check)
    except (MienError, OSError) as error:
        _fail(f"{file.name} was not imported. {error}")
    assert model.embedder is not None
    _say(f"{name} is ready in {root}: {model.embedder.dimensions} numbers, from {origin['source']}")
    _say_how_to_use(name, accept_similarity)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise PermanentError(f"expected a name of small letters, digits and underscores, got {name!r}")
    if name in {recipe.name for recipe in RECIPES}:
        raise PermanentError(f"{name} is a model that `mien models build` makes: choose another name")


def _origin(file: Path) -> dict[str, str]:
    return {"source": f"{file.name} sha256 {file_sha256(file)}"}


def _say_how_to_use(name: str, accept_similarity: float | None) -> None:
    lines = [f"To use it: MIEN_RECOGNIZER_EMBEDDER={name} bin/mien up. Enrolled photos are embedded anew."]
    if accept_similarity is None:
        lines.append(
            f"Its threshold is not known: measure it (bin/mien evaluate identity --embedder {name}) or "
            "choose one, and set MIEN_RECOGNIZER_ACCEPT_SIMILARITY."
        )
    for line in lines:
        _say(line)


def _say(text: str) -> None:
    _out.print(text, highlight=False, markup=False, soft_wrap=True)


def _fail(text: str) -> NoReturn:
    _err.print(f"error: {text}", highlight=False, markup=False, soft_wrap=True)
    raise typer.Exit(1)
