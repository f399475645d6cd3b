"""Each image of a contact sheet is in its place, above its caption."""

import numpy as np
import pytest

from flowers.images.contact_sheet import BACKGROUND, CAPTION, GAP, TILE, draw_contact_sheet

COLOURS = [(200, 0, 0), (0, 200, 0), (0, 0, 200), (200, 200, 0), (0, 200, 200)]


def make_plain(colour):
    return np.full((32, 32, 3), colour, dtype=np.uint8)


def cut_tile(sheet, row, column):
    """The photo and the caption below it, as arrays."""
    x, y = GAP + column * (TILE + GAP), GAP + row * (TILE + CAPTION + GAP)
    pixels = np.asarray(sheet)[y : y + TILE + CAPTION, x : x + TILE]
    return pixels[:TILE], pixels[TILE:]


def test_photos_fill_rows_from_the_left():
    sheet = draw_contact_sheet([make_plain(c) for c in COLOURS], ["x"] * 5, 3)
    assert sheet.mode == "RGB"
    assert sheet.size == (3 * (TILE + GAP) + GAP, 2 * (TILE + CAPTION + GAP) + GAP)
    for i, colour in enumerate(COLOURS):
        photo, caption = cut_tile(sheet, i // 3, i % 3)
        assert (photo == colour).all()
        assert (caption != BACKGROUND).any()
    assert (cut_tile(sheet, 1, 2)[0] == BACKGROUND).all()
    assert (np.asarray(draw_contact_sheet([], [], 4)) == BACKGROUND).all()
    with pytest.raises(ValueError):
        draw_contact_sheet([make_plain(COLOURS[0])], ["a", "b"], 2)


def test_a_long_caption_is_cut_where_the_tile_ends():
    photos = [make_plain(COLOURS[0])] * 2
    long, short = (draw_contact_sheet(photos, [text, ""], 2) for text in ("Sunflower " * 20, ""))
    differs = (np.asarray(long) != np.asarray(short)).any(axis=(0, 2))
    assert 100 < np.flatnonzero(differs).max() < GAP + TILE
