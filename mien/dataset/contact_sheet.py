"""Pictures of many faces at once, with names and badges, to look a data set over by eye."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont, ImageOps

Colour = tuple[int, int, int]
GREEN: Final[Colour] = (35, 122, 87)
AMBER: Final[Colour] = (166, 97, 10)
BLUE: Final[Colour] = (45, 92, 168)
_INK: Final[Colour] = (28, 36, 48)
_PAPER: Final[Colour] = (236, 239, 243)

_CELL_PX: Final = 116
_GAP_PX: Final = 8
_CAPTION_PX: Final = 20
_COLUMNS: Final = 10
_ROWS: Final = 24
"""Of one sheet; what is left goes onto the next."""


@dataclass(frozen=True)
class Thumbnail:
    """A picture of the sheet.

    Attributes:
        path: Picture file.
        caption: Below it, cut off where it is too long.
        badge: In its corner; empty for none.
        colour: Of the badge.
    """

    path: Path
    caption: str
    badge: str = ""
    colour: Colour = GREEN


def write_contact_sheets(folder: Path, name: str, thumbnails: Sequence[Thumbnail]) -> list[Path]:
    """Write ``NAME-1.jpg``, ``NAME-2.jpg``, … of up to 240 pictures each; returns their paths."""
    for old in folder.glob(f"{name}-*.jpg"):
        old.unlink()
    per_sheet = _COLUMNS * _ROWS
    paths = []
    for number, start in enumerate(range(0, len(thumbnails), per_sheet), start=1):
        path = folder / f"{name}-{number}.jpg"
        _draw(thumbnails[start : start + per_sheet]).save(path, quality=88)
        paths.append(path)
    return paths


def _draw(thumbnails: Sequence[Thumbnail]) -> Image.Image:
    # Pillow's own font knows few letters; matplotlib brings one that knows most names.
    font = ImageFont.truetype(font_manager.findfont("DejaVu Sans"), 11)
    step_x, step_y = _CELL_PX + _GAP_PX, _CELL_PX + _CAPTION_PX + _GAP_PX
    rows = -(-len(thumbnails) // _COLUMNS)
    columns = min(len(thumbnails), _COLUMNS)
    sheet = Image.new("RGB", (columns * step_x + _GAP_PX, rows * step_y + _GAP_PX), "white")
    draw = ImageDraw.Draw(sheet)
    for index, thumbnail in enumerate(thumbnails):
        x = _GAP_PX + index % _COLUMNS * step_x
        y = _GAP_PX + index // _COLUMNS * step_y
        draw.rectangle((x, y, x + _CELL_PX - 1, y + _CELL_PX - 1), fill=_PAPER)
        if thumbnail.path.is_file():
            with Image.open(thumbnail.path) as picture:
                fitted = ImageOps.contain(picture.convert("RGB"), (_CELL_PX, _CELL_PX))
            sheet.paste(fitted, (x + (_CELL_PX - fitted.width) // 2, y + (_CELL_PX - fitted.height) // 2))
        else:
            middle = (x + _CELL_PX / 2, y + _CELL_PX / 2)
            draw.text(middle, "no picture", font=font, fill="gray", anchor="mm")
        draw.text((x + 1, y + _CELL_PX + 3), _shortened(thumbnail.caption, font), font=font, fill=_INK)
        if thumbnail.badge:
            width = font.getlength(thumbnail.badge) + 8
            draw.rounded_rectangle((x + 3, y + 3, x + 3 + width, y + 19), radius=4, fill=thumbnail.colour)
            draw.text((x + 7, y + 4), thumbnail.badge, font=font, fill="white")
    return sheet


def _shortened(text: str, font: ImageFont.FreeTypeFont) -> str:
    if font.getlength(text) <= _CELL_PX:
        return text
    while text and font.getlength(text + "…") > _CELL_PX:
        text = text[:-1]
    return text + "…"
