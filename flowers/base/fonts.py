"""Fonts that draw names in any script, on charts and contact sheets."""

import unicodedata
from functools import lru_cache
from pathlib import Path

DEFAULT = "DejaVu Sans"  # comes with matplotlib: Latin, Greek, Cyrillic, Hebrew, Arabic and more
_VARIATION_SELECTORS = {chr(code) for code in range(0xFE00, 0xFE10)}


# matplotlib is slow to import, and most captions are ASCII.
def _read_font(path):
    """Return (family, path, characters) of an outline font; None for any other file."""
    from matplotlib.ft2font import FaceFlags, FT2Font

    try:
        font = FT2Font(path)
    except (OSError, RuntimeError):
        return None
    # Bitmaps of one size and coloured glyphs are not drawn as outlines.
    if FaceFlags.SCALABLE not in font.face_flags or FaceFlags.COLOR in font.face_flags:
        return None
    return font.family_name, path, frozenset(map(chr, font.get_charmap()))


@lru_cache(maxsize=1)
def _read_default_font():
    from matplotlib import font_manager

    return _read_font(font_manager.findfont(DEFAULT))


@lru_cache(maxsize=1)
def _read_installed_fonts():
    """Read the fonts of the system; regular ones first, then by path."""
    from matplotlib import font_manager

    paths = sorted(
        font_manager.findSystemFonts(), key=lambda path: ("Regular" not in Path(path).name, path)
    )
    return [font for font in map(_read_font, paths) if font]


@lru_cache(maxsize=256)
def choose_fonts(text):
    """Choose the fonts that draw the characters of a text: the default and few installed ones.

    Returns
    -------
    list of tuple
        ``(family, path, characters)``: name, str, and frozenset of str. The default is the first.
    """
    chosen = [_read_default_font()]
    missing = frozenset(text) - chosen[0][2] - _VARIATION_SELECTORS
    while missing and _read_installed_fonts():
        best = max(_read_installed_fonts(), key=lambda font: len(missing & font[2]))
        if not missing & best[2]:
            break
        chosen.append(best)
        missing -= best[2]
    return chosen


def register_fonts(fonts):
    """Make fonts of `choose_fonts` known to matplotlib; return the names of their families."""
    from matplotlib import font_manager

    known = {entry.fname for entry in font_manager.fontManager.ttflist}
    for _, path, _ in fonts:
        if path not in known:
            font_manager.fontManager.addfont(path)
    return list(dict.fromkeys(family for family, _, _ in fonts))


def split_runs(text, fonts):
    r"""Split a text where its font changes; `fonts` is the list of `choose_fonts`.

    Returns
    -------
    list of tuple
        ``(run, path)``; characters that no font has are written as ``\u87ba`` in the first font.
    """
    runs = []
    for character in unicodedata.normalize("NFC", text):
        if character in _VARIATION_SELECTORS:
            continue
        path = next((path for _, path, known in fonts if character in known), None)
        if path is None:
            path = fonts[0][1]
            character = character.encode("ascii", "backslashreplace").decode()
        if runs and runs[-1][1] == path:
            runs[-1] = (runs[-1][0] + character, path)
        else:
            runs.append((character, path))
    return [(run, Path(path)) for run, path in runs]
