"""The README of a model folder."""

import re

TEMPLATE = """# Flowers: {champion}

A classifier of {count} kinds of flowers: {classes}. It predicts one of them for every image, also
for an image that shows no flower.

## Evaluation

| | |
|---|---|
| accuracy on {photos} test images ({distinct} distinct) | {accuracy:.3f} |
| 95 % interval | {accuracy_low:.3f} to {accuracy_high:.3f} |
| macro F1 | {macro_f1:.3f} |
| log loss | {log_loss:.3f} |
| expected calibration error | {calibration_error:.3f} |
| test images with a near-duplicate in train | {leaked} |

| class | images | precision | recall | F1 |
|---|---|---|---|---|
{rows}

## Training

- {train} training images, resized to {size}×{size} pixels
- features: {features}
- estimator: {estimator} with {params}
- split strategy: {strategy}

Reasons for the choice of the champion:

{reasons}

## Limitations

- The metrics hold for images like the test images. Watch the drift report for other images.
- The labels come with the images and may be wrong; nobody has reviewed all of them.
- The model file is a pickle: load it only if its digest equals that in `card.json`.
- `{file}` has {megabytes:.1f} MB and the MD5 {md5}; it was written with {versions}.
"""


def escape_markdown(text):
    r"""Escape characters that Markdown or HTML would interpret, and join the text to one line.

    Examples
    --------
    >>> print(escape_markdown("a|b_<i>"))
    a\|b\_\<i\>
    """
    return re.sub(r"([\\`*_\[\]<>|&])", r"\\\1", " ".join(text.split()))


def render_readme(card):
    """Render the README of a model folder.

    Parameters
    ----------
    card : dict
        From ``flowers.model.card.build_card``, with the evidence of a run: ``metrics``,
        ``per_class``, ``split`` and ``decision``.

    Returns
    -------
    str
        Markdown.
    """
    model = card["model"]
    split = card["split"]
    decision = card["decision"]
    rows = [
        f"| {escape_markdown(row['class'])} | {row['photos']} | {row['precision']:.3f} "
        f"| {row['recall']:.3f} | {row['f1']:.3f} |"
        for row in card["per_class"]
    ]
    return TEMPLATE.format(
        **card["metrics"],
        champion=decision["champion"],
        reasons="\n".join(f"- {reason}" for reason in decision["reasons"]),
        count=len(card["classes"]),
        classes=", ".join(map(escape_markdown, card["classes"])),
        photos=split["test"],
        leaked=split["leaked_test_photos"],
        train=split["train"],
        strategy=split["strategy"],
        rows="\n".join(rows),
        size=card["size"],
        features=", ".join(f"`{name}`" for name in card["features"]),
        estimator=f"`{model['estimator']}`",
        params=", ".join(f"{key} {value}" for key, value in model["params"].items()),
        file=model["file"],
        megabytes=model["bytes"] / 1e6,
        md5=model["md5"],
        versions=", ".join(f"{name} {number}" for name, number in card["versions"].items()),
    )
