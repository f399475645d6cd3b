"""Parameters by "section.key", as in ``dvc exp run --set-param``, and their text in params.yaml."""

import difflib
import io
import json
import math
import re
from pathlib import Path

from ruamel.yaml import YAML, MappingNode, SequenceNode, YAMLError

from flowers.base.errors import BadInput
from stages.support.run import find_faults, read_yaml

PATH = Path("params.yaml")
SCHEMA = Path("params.schema.json")


def flatten_sections(sections):
    """Return the parameters of nested sections, from "section.key" to value."""
    return {
        f"{s}.{key}": value for s, keys in sections.items() for key, value in (keys or {}).items()
    }


def read_sections(path):
    """Read sections with parameters; BadInput if the file holds something else."""
    try:
        sections = read_yaml(path)
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not a text file in UTF-8") from error
    if not isinstance(sections, dict) or not all(isinstance(s, dict) for s in sections.values()):
        raise BadInput(f"{path} does not hold sections with parameters: see params.yaml in git")
    return sections


def parse_settings(text):
    """Parse "section.key=value section.key=value" with values in YAML, which may hold spaces."""
    changes = {}
    for setting in re.split(r"\s+(?=[^\s=]+\.[^\s=.]+=)", text.strip()) if text.strip() else ():
        key, equals, value = setting.partition("=")
        if not equals:
            raise BadInput(f"SET: {setting!r} is not of the form section.key=value")
        try:
            changes[key] = YAML(typ="safe").load(value)
        except YAMLError as error:
            raise BadInput(f"SET: {setting} has no value in YAML; quote it") from error
    return changes


def merge_changes(changes):
    """Return the sections of params.yaml with some values replaced.

    Raises
    ------
    BadInput
        If a parameter does not exist, or a value is outside of params.schema.json.
    """
    sections = read_sections(PATH)
    known = flatten_sections(sections)
    for key in changes.keys() - known.keys():
        section = key.partition(".")[0]
        last = key.rpartition(".")[2]
        close = [name for name in known if name.rpartition(".")[2].lower() == last.lower()]
        close += difflib.get_close_matches(key, known, n=1)
        names = ", ".join(sections[section] if section in sections else sections)
        where = f"{section} has" if section in sections else "the sections are"
        question = f"did you mean {close[0]}? " if close and key not in sections else ""
        raise BadInput(f"there is no parameter {key}: {question}{where} {names}")
    for key, value in changes.items():
        section, _, name = key.partition(".")
        sections[section][name] = value
    if faults := find_faults(sections, json.loads(SCHEMA.read_text())):
        raise BadInput(f"{'; '.join(faults)} (allowed: {SCHEMA})")
    return sections


def describe_changes(old, new):
    """Return the parameters that differ, with both values, as text; empty if there is none."""
    pairs = {key: (old.get(key), value) for key, value in new.items()}
    return "; ".join(
        f"{key} {format_value(before)} -> {format_value(after)}"
        for key, (before, after) in pairs.items()
        if before != after
    )


def replace_values(text, changes):
    """Replace values in the text of params.yaml; all other lines and all comments stay.

    The comment after a new value starts in the first column of such comments, or two spaces after
    the value.
    """
    spans = dict(_find_values(text))
    old = flatten_sections(YAML(typ="safe").load(text))
    column = min(filter(None, (_find_comment(text, *span) for span in spans.values())), default=0)
    for key in sorted(changes, key=spans.get, reverse=True):
        if repr(changes[key]) == repr(old[key]):
            continue
        start, end = spans[key]
        value = format_value(changes[key])
        if start == end:
            value = f" {value}"
        rest = text[end:]
        if _find_comment(text, start, end):
            used = start - text.rfind("\n", 0, start) - 1 + len(value)
            rest = " " * max(column - used, 2) + rest.lstrip(" ")
        text = text[:start] + value + rest
    return text


def format_value(value):
    """Format a value as YAML 1.2 on one line."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = True
    yaml.width = math.inf
    stream = io.StringIO()
    yaml.dump(value, stream)
    return stream.getvalue().removesuffix("...\n").rstrip()


def _find_values(text):
    """Yield each "section.key" with the start and the end of its value."""
    for section, keys in YAML(typ="safe", pure=True).compose(text).value:
        for key, value in keys.value if isinstance(keys, MappingNode) else ():
            start = value.start_mark.index
            end = _find_end(value)
            if start == end:  # no value; the marks are those of the next key
                start = end = text.index(":", key.end_mark.index) + 1
            yield f"{section.value}.{key.value}", (start, end)


def _find_end(node):
    """Return where a value ends; the mark of a list of lines is where the next value starts."""
    is_list_of_lines = isinstance(node, SequenceNode) and not node.flow_style
    return _find_end(node.value[-1]) if is_list_of_lines else node.end_mark.index


def _find_comment(text, start, end):
    """Return the column of the comment after a value; None if there is none."""
    rest = text[end : (text + "\n").index("\n", end)]
    if not rest.lstrip(" ").startswith("#"):
        return None
    return end - text.rfind("\n", 0, start) - 1 + len(rest) - len(rest.lstrip(" "))
