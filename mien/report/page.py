"""Reports as single HTML files: styles and pictures are inside, so a report can be mailed or kept."""

import base64
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

_TEMPLATES: Final = Path(__file__).parent / "templates"


def write_page(path: Path, template: str, **values: Any) -> None:
    """Render a template of this folder into a file, which appears whole or not at all."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    draft = path.with_suffix(".new")
    draft.write_text(environment.get_template(template).render(**values))
    draft.replace(path)


def picture(path: Path) -> Markup:
    """Return the element of a picture file: SVG as it is, JPEG and PNG as a data address."""
    if path.suffix == ".svg":
        # What stands before the element itself is for files of their own.
        text = path.read_text()
        return Markup(text[text.index("<svg") :])  # noqa: S704 - drawn by us
    kind = "png" if path.suffix == ".png" else "jpeg"
    encoded = base64.b64encode(path.read_bytes()).decode()
    return Markup('<img alt="" src="data:image/{};base64,{}">').format(kind, encoded)
