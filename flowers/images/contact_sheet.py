"""Contact sheets: many images on one sheet, each with a caption."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from flowers.base.tables import atomic_write

TILE = 120
CAPTION = 16
GAP = 4
COLUMNS = 8
BACKGROUND = (255, 255, 255)
TEXT_COLOUR = (34, 34, 34)


def draw_contact_sheet(images, captions, columns=COLUMNS):
    """Draw images in rows of `columns`, each above its caption.

    Parameters
    ----------
    images : sequence of ndarray of shape (s, s, 3), uint8
    captions : sequence of str
        One for each image; cut where the tile ends.
    columns : int, >= 1

    Returns
    -------
    PIL.Image.Image
        RGB; a blank strip if there are no images.
    """
    font = ImageFont.load_default(size=11)
    rows = -(-len(images) // columns)
    width = TILE + GAP
    height = TILE + CAPTION + GAP
    sheet = Image.new("RGB", (columns * width + GAP, max(rows * height, 1) + GAP), BACKGROUND)
    for i, (image, caption) in enumerate(zip(images, captions, strict=True)):
        tile = Image.new("RGB", (TILE, TILE + CAPTION), BACKGROUND)
        photo = Image.fromarray(np.asarray(image)).resize((TILE, TILE), Image.Resampling.BICUBIC)
        tile.paste(photo, (0, 0))
        ImageDraw.Draw(tile).text((0, TILE + 2), caption, fill=TEXT_COLOUR, font=font)
        sheet.paste(tile, (GAP + i % columns * width, GAP + i // columns * height))
    return sheet


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
