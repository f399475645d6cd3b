"""The card of a model for people to read."""

import re

TEMPLATE = """# Flowers: {champion}

Tells which of {count} flowers a photo shows: {classes}. It answers with one of them whatever the
photo shows, a car too.

## How good it is

| | |
|---|---|
| accuracy on {photos} held-out photos ({distinct} distinct) | {accuracy:.3f} |
| with 95 % confidence between | {accuracy_low:.3f} and {accuracy_high:.3f} |
| macro F1 | {macro_f1:.3f} |
| log loss | {log_loss:.3f} |
| calibration error | {calibration_error:.3f} |
| held-out photos with a near-duplicate in train | {crossing} |

| class | photos | precision | recall | F1 |
|---|---|---|---|---|
{rows}

## How it was made

It learnt from {train} photos. A photo of {size}×{size} pixels becomes a row of numbers by
{features}; {estimator} answers, with {params}. Near-duplicates were kept on one side of the split
(strategy: {strategy}).

{reasons}

## What to know before using it

- Figures hold for photos like the held-out ones. On other photos, watch the drift report.
- Labels come with the photos and are not free of errors; no person has checked them all.
- The files are a pickle and arrays: load them only if their digests are those of `card.json`.
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
    """Describe a model: what it answers, how good it is by class, what it was made of.

    Parameters
    ----------
    card : dict
        As of ``flowers.model.card.build_card``, with the evidence of a run: ``metrics``, ``per_class``,
        ``split`` and ``decision``.

    Returns
    -------
    str
        Markdown.
    """
    model, split = card["model"], card["split"]
    rows = [
        f"| {escape_markdown(row['class'])} | {row['photos']} | {row['precision']:.3f} "
        f"| {row['recall']:.3f} | {row['f1']:.3f} |"
        for row in card["per_class"]
    ]
    return TEMPLATE.format(
        **card["metrics"],
        champion=card["decision"]["champion"],
        reasons="\n".join(f"- {reason}" for reason in card["decision"]["reasons"]),
        count=len(card["classes"]),
        classes=", ".join(map(escape_markdown, card["classes"])),
        photos=split["test"],
        crossing=split["leaked_test_photos"],
        train=split["train"],
        strategy=split["strategy"],
        rows="\n".join(rows),
        size=card["size"],
        features=" and ".join(f"`{name}`" for name in card["features"]),
        estimator=f"`{model['estimator']}`",
        params=", ".join(f"{key} {value}" for key, value in model["params"].items()),
        file=model["file"],
        megabytes=model["bytes"] / 1e6,
        md5=model["md5"],
        versions=", ".join(f"{name} {number}" for name, number in card["versions"].items()),
    )
