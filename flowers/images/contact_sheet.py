"""Contact sheets: many images on one sheet, each with a caption."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont, features

from flowers.base.fonts import choose_fonts, split_runs
from flowers.base.tables import atomic_write

TILE = 120
CAPTION = 16
FONT_SIZE = 11  # pixels
ASCENT = 11  # from the top of a caption to its baseline
GAP = 4
COLUMNS = 8
# Of the caption; names in it may run from right to left.
DIRECTION = "ltr" if all(map(features.check, ("raqm", "fribidi"))) else None
BACKGROUND = (255, 255, 255)
TEXT_COLOUR = (34, 34, 34)


def draw_contact_sheet(images, captions, columns=COLUMNS):
    """Draw images in rows of `columns`, each above its caption.

    Parameters
    ----------
    images : sequence of ndarray of shape (s, s, 3), uint8
    captions : sequence of str
        One for each image, in any script; cut where the tile ends.
    columns : int, >= 1

    Returns
    -------
    PIL.Image.Image
        RGB; a blank strip if there are no images.
    """
    rows = -(-len(images) // columns)
    width = TILE + GAP
    height = TILE + CAPTION + GAP
    sheet = Image.new("RGB", (columns * width + GAP, max(rows * height, 1) + GAP), BACKGROUND)
    for i, (image, caption) in enumerate(zip(images, captions, strict=True)):
        tile = Image.new("RGB", (TILE, TILE + CAPTION), BACKGROUND)
        photo = Image.fromarray(np.asarray(image)).resize((TILE, TILE), Image.Resampling.BICUBIC)
        tile.paste(photo, (0, 0))
        _draw_caption(ImageDraw.Draw(tile), caption)
        sheet.paste(tile, (GAP + i % columns * width, GAP + i // columns * height))
    return sheet


def _draw_caption(draw, caption):
    """Write a caption below the image of a tile, each run of characters in a font that has them."""
    if caption.isascii():
        runs = [(caption, None)]
    else:
        runs = split_runs(caption, choose_fonts(caption))
    left = 0
    for run, path in runs:
        style = {"font": ImageFont.load_default(FONT_SIZE)}
        if path:
            style = {"font": ImageFont.truetype(path, FONT_SIZE), "direction": DIRECTION}
        draw.text((left, TILE + 2 + ASCENT), run, fill=TEXT_COLOUR, anchor="ls", **style)
        left += draw.textlength(run, **style)


def select_evenly(labels, count):
    """Return the row numbers of at most `count` evenly spaced images of each class, in order."""
    members = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    return np.concatenate(
        [rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int)] for rows in members]
    )


def write_contact_sheet(path, images, captions):
    """Write a contact sheet as JPEG; see `draw_contact_sheet`."""
    with atomic_write(path) as partial:
        draw_contact_sheet(images, captions).save(partial, "JPEG", quality=88)
