"""The README of a model folder."""

import re
from pathlib import Path

TEMPLATE = Path(__file__).with_name("readme_template.md")


def escape_markdown(text):
    r"""Escape text so that Markdown shows it as it is, also in a cell of a table.

    >>> print(escape_markdown("<b> | a_c"))
    \<b\> \| a\_c
    """
    return re.sub(r"([\\`*_{}\[\]<>|#&~$!])", r"\\\1", " ".join(text.split()))


def render_readme(card):
    """Render the README of a model folder as Markdown.

    Parameters
    ----------
    card : dict
        From ``flowers.model.card.build_card``, with the evidence of a run: ``study``,
        ``metrics``, ``per_class``, ``split`` and ``decision``.
    """
    model = card["model"]
    rows = [
        f"| {escape_markdown(row['class'])} | {row['photos']} | {row['precision']:.3f} "
        f"| {row['recall']:.3f} | {row['f1']:.3f} |"
        for row in card["per_class"]
    ]
    return TEMPLATE.read_text(encoding="utf-8").format(
        card=card,
        count=len(card["classes"]),
        classes=", ".join(map(escape_markdown, card["classes"])),
        **{key: escape_markdown(text) for key, text in card["study"].items()},
        reasons="\n".join(f"- {reason}" for reason in card["decision"]["reasons"]),
        rows="\n".join(rows),
        features=", ".join(f"`{name}`" for name in card["features"]),
        params=", ".join(f"{key} {value}" for key, value in model["params"].items()),
        megabytes=model["bytes"] / 1e6,
        versions=", ".join(f"{name} {number}" for name, number in card["versions"].items()),
    )
