"""The README of a model folder."""

import re
from pathlib import Path

import yaml

from flowers.base.tables import format_share

TASK = "image-classification"
TEMPLATE = Path(__file__).with_name("readme_template.md")


def escape_markdown(text):
    r"""Escape text so that Markdown shows it as it is, also in a cell of a table.

    >>> print(escape_markdown("<b> | a_c"))
    \<b\> \| a\_c
    """
    return re.sub(r"([\\`*_{}\[\]<>|#&~$!])", r"\\\1", " ".join(text.split()))


def render_metadata(card):
    """Render the metadata of a model card of Hugging Face as YAML.

    See https://huggingface.co/docs/hub/model-cards. Without a license it is "unknown".

    Parameters
    ----------
    card : dict
        See `render_readme`.
    """
    study = card["study"]
    metrics = [
        {"type": "accuracy", "name": "Accuracy", "value": card["metrics"]["accuracy"]},
        {"type": "f1", "name": "Macro F1", "value": card["metrics"]["macro_f1"]},
        {"type": "log_loss", "name": "Log loss", "value": card["metrics"]["log_loss"]},
    ]
    for metric in metrics:
        metric["value"] = float(format_share(metric["value"]))
    result = {
        "task": {"type": TASK, "name": "Image classification"},
        "dataset": {"type": study["name"], "name": study["title"], "split": "test"},
        "metrics": metrics,
    }
    metadata = {
        "license": (card.get("license") or "unknown").lower(),
        "library_name": "scikit-learn",
        "pipeline_tag": TASK,
        "tags": ["scikit-learn", TASK],
        "metrics": [metric["type"] for metric in metrics],
        "model-index": [{"name": study["name"], "results": [result]}],
    }
    return yaml.safe_dump(metadata, allow_unicode=True, sort_keys=False, width=1000)


def render_readme(card):
    """Render the README of a model folder as Markdown, with `render_metadata` before it.

    Parameters
    ----------
    card : dict
        From ``flowers.model.card.build_card``, with the evidence of a run: ``study``,
        ``metrics``, ``per_class``, ``split`` and ``decision``; ``license`` may be None.
    """
    model = card["model"]
    rows = [
        f"| {escape_markdown(row['class'])} | {row['photos']} | {format_share(row['precision'])} "
        f"| {format_share(row['recall'])} | {format_share(row['f1'])} |"
        for row in card["per_class"]
    ]
    text = TEMPLATE.read_text(encoding="utf-8").format(
        card=card,
        figures={k: format_share(v) for k, v in card["metrics"].items() if isinstance(v, float)},
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
    return f"---\n{render_metadata(card)}---\n\n{text}"
