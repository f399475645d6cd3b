"""Names of any script on charts and contact sheets: never a warning, never a missing glyph."""

import warnings

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager

from flowers.base import fonts
from flowers.base.plots import make_labels
from flowers.drift.charts import plot_classes
from flowers.evaluation.charts import plot_confusion, plot_precision_recall
from flowers.images.contact_sheet import draw_contact_sheet

NAMES = ["Écrou", "螺丝", "🔩", "ברגים", "$x$ _{", "<b>&", "x" * 200, "_hidden", "100 %", "\\n"]


def clear_caches():
    for function in (fonts._read_installed_fonts, fonts.choose_fonts):
        function.cache_clear()


@pytest.fixture(autouse=True)
def forget_fonts():
    clear_caches()
    yield
    clear_caches()


@pytest.fixture(name="install")
def make_install(tmp_path, monkeypatch):
    """Install a font whose glyphs for the given characters are squares, or none."""

    def install(characters):
        paths = [str(tmp_path / "not a font.ttf")]
        (tmp_path / "not a font.ttf").write_bytes(b"\0" * 100)
        if characters:
            paths.append(str(tmp_path / "Squares.ttf"))
            write_font(paths[-1], characters)
        monkeypatch.setattr(font_manager, "findSystemFonts", lambda: paths)

    return install


def write_font(path, characters):
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for point in ((0, 700), (700, 700), (700, 0)):
        pen.lineTo(point)
    pen.closePath()
    square = pen.glyph()
    names = [".notdef", *(f"g{i}" for i in range(len(characters)))]
    builder = FontBuilder(1000)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap(dict(zip(map(ord, characters), names[1:], strict=True)))
    builder.setupGlyf(dict.fromkeys(names, square))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (800, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": f"Squares {path}", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)


def draw_everything():
    """Draw every chart and sheet with names; a warning is an error."""
    labels = np.array(NAMES)
    curves = [{"class": name, "recall": r, "precision": 0.5} for name in NAMES for r in (0, 1)]
    shares = np.full(len(NAMES), 0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        charts = plot_confusion(labels, {"svm": labels}, NAMES)
        charts += plot_precision_recall({"svm": curves}, 9) + plot_classes(shares, shares, NAMES)
        images = np.zeros((len(NAMES), 4, 4, 3), np.uint8)
        return charts, np.asarray(draw_contact_sheet(images, [f"{n}: {n} 0.9" for n in NAMES]))


@pytest.mark.slow
def test_an_installed_font_draws_the_names_it_has_and_others_are_escaped(install, caplog):
    install("")
    assert make_labels(["螺丝", "🔩"]) == [r"\u87ba\u4e1d", r"\U0001f529"]
    escaped, without = draw_everything()
    clear_caches()
    install("螺丝")
    assert make_labels(["螺丝", "🔩"]) == ["螺丝", r"\U0001f529"]
    charts, sheet = draw_everything()
    assert charts != escaped and not np.array_equal(sheet, without)
    assert caplog.text == ""


def test_a_label_is_short_and_no_formula_and_never_hidden():
    labels = make_labels(NAMES)
    assert max(map(len, labels)) <= 26
    assert labels[4] == r"\$x\$ _{" and labels[7] == " _hidden" and labels[9] == "\\n"


def test_a_variation_selector_is_no_character_of_its_own(install):
    install("")
    assert make_labels(["☀\ufe0f"]) == ["☀"]
