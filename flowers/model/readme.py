"""The README of a model folder."""

from pathlib import Path

TEMPLATE = Path(__file__).with_name("readme_template.md")


def render_readme(card):
    """Render the README of a model folder as Markdown.

    Parameters
    ----------
    card : dict
        From ``flowers.model.card.build_card``, with the evidence of a run: ``metrics``,
        ``per_class``, ``split`` and ``decision``.
    """
    model = card["model"]
    rows = [
        f"| {row['class']} | {row['photos']} | {row['precision']:.3f} | {row['recall']:.3f} "
        f"| {row['f1']:.3f} |"
        for row in card["per_class"]
    ]
    return TEMPLATE.read_text(encoding="utf-8").format(
        card=card,
        count=len(card["classes"]),
        classes=", ".join(card["classes"]),
        reasons="\n".join(f"- {reason}" for reason in card["decision"]["reasons"]),
        rows="\n".join(rows),
        features=", ".join(f"`{name}`" for name in card["features"]),
        params=", ".join(f"{key} {value}" for key, value in model["params"].items()),
        megabytes=model["bytes"] / 1e6,
        versions=", ".join(f"{name} {number}" for name, number in card["versions"].items()),
    )
