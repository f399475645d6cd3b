"""Parameters by "section.key", as in ``dvc exp run --set-param``, and their text in params.yaml."""

import difflib
import io
import json
import math
import re
from pathlib import Path

from ruamel.yaml import YAML, CollectionNode, MappingNode, YAMLError

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
        if key.startswith(("'", '"')):
            plain = setting.replace(key[0], "")
            raise BadInput(f"SET: values may hold spaces without quotes: {plain}")
        if not equals:
            raise BadInput(f"SET: {setting!r} is not of the form section.key=value")
        try:
            changes[key] = YAML(typ="safe").load(value)
        except YAMLError as error:
            spaced = re.sub(r"(?<=\w):(?=[^\s/])", ": ", value)
            lacks_space = "{" in value and spaced != value
            remedy = f"put a space after each colon: {spaced}" if lacks_space else "quote it"
            raise BadInput(f"SET: {setting} has no value in YAML; {remedy}") from error
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
    """Replace values in the text of params.yaml; all other lines and their comments stay.

    A value of several lines, as DVC writes a list, becomes one line. The comment after a new value
    starts in the first column of such comments, or two spaces after the value.

    Raises
    ------
    BadInput
        If the new text would not hold the old values with the changes.
    """
    old = flatten_sections(YAML(typ="safe").load(text))
    new = text if text.endswith("\n") else f"{text}\n"
    spans = dict(_find_values(new))
    columns = [_find_comment(new, start, end) for start, end, _ in spans.values()]
    column = min(filter(None, columns), default=0)
    for key in sorted(changes, key=spans.get, reverse=True):
        if repr(changes[key]) != repr(old[key]):
            new = _replace_value(new, spans[key], format_value(changes[key]), column)
    try:
        values = flatten_sections(YAML(typ="safe").load(new))
        is_right = format_value(values) == format_value(old | changes)  # text: NaN equals no NaN
    except YAMLError:
        is_right = False
    if not is_right:
        names = ", ".join(key for key in changes if repr(changes[key]) != repr(old[key]))
        raise BadInput(f"{PATH} has a form in which {names} cannot be replaced: edit it by hand")
    return new if new != f"{text}\n" else text


def _replace_value(text, span, value, column):
    """Replace one value; a comment after it starts in `column` if the value leaves room."""
    start, end, last = span
    line_end = text.index("\n", end) + 1
    rest = text[end:line_end]
    if start == end:
        value = f" {value}"
    if _find_comment(text, start, end):
        used = start - text.rfind("\n", 0, start) - 1 + len(value)
        rest = " " * max(column - used, 2) + rest.lstrip(" ")
    items = text[line_end:last].splitlines(keepends=True)
    kept = [line for line in items if not line.strip() or line.lstrip().startswith("#")]
    return text[:start] + value + rest + "".join(kept) + text[max(line_end, last) :]


def format_value(value):
    """Format a value as YAML 1.2 on one line."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = True
    yaml.width = math.inf
    stream = io.StringIO()
    yaml.dump(value, stream)
    return stream.getvalue().removesuffix("...\n").rstrip()


def _find_values(text):
    """Yield each "section.key" with the start and end of its value and the end of its lines."""
    for section, keys in YAML(typ="safe", pure=True).compose(text).value:
        for key, value in keys.value if isinstance(keys, MappingNode) else ():
            start = value.start_mark.index
            end = value.end_mark.index
            last = end
            is_block = isinstance(value, CollectionNode) and not value.flow_style
            if is_block or start == end:  # the marks of no value are those of the next key
                start = end = text.index(":", key.end_mark.index) + 1
            if is_block:  # its end mark is where the next value starts
                last = text.rfind("\n", 0, last) + 1
            yield f"{section.value}.{key.value}", (start, end, last)


def _find_comment(text, start, end):
    """Return the column of the comment after a value; None if there is none."""
    rest = text[end : (text + "\n").index("\n", end)]
    if not rest.lstrip(" ").startswith("#"):
        return None
    return end - text.rfind("\n", 0, start) - 1 + len(rest) - len(rest.lstrip(" "))
