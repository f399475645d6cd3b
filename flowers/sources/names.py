"""Names of classes, files and parts: which are the same, and which can be stored."""

import os
import re
import unicodedata

from flowers.base.errors import BadInput

# File systems take names of 255 bytes, and DVC extends a name while it copies.
_MAX_NAME_BYTES = 200
_MAX_SUFFIX_BYTES = 20
PARTS = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}
_PART_WORDS = {word: part for part, words in PARTS.items() for word in words}


def make_printable(name):
    """Replace what is not UTF-8, not printable or a backslash by "_"."""
    text = os.fsencode(name).decode("utf-8", "replace")
    return "".join(c if c.isprintable() and c not in "\ufffd\\" else "_" for c in text)


def shorten_name(name, reserved_bytes=0):
    """Cut a name so that it and `reserved_bytes` more fit into a file name."""
    return name.encode()[: _MAX_NAME_BYTES - reserved_bytes].decode(errors="ignore")


def fold_name(name):
    """Return a key that is equal for names that differ by case, spaces or Unicode form alone.

    Examples
    --------
    >>> fold_name(" Water  Lily") == fold_name("water lily")
    True
    """
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def normalise_label(name):
    """Return the class of a folder or a table cell: without spaces around it, in Unicode form NFC.

    Raises
    ------
    BadInput
        If it cannot be the name of a folder, or would be hidden.
    """
    label = unicodedata.normalize("NFC", name).strip(" ")
    storable = label == shorten_name(make_printable(label)) and "/" not in label
    if not storable or not label or label.startswith("."):
        raise BadInput(f"class {name[:250]!r} has too odd or too long a name: rename it")
    return label


def check_distinct(places, source):
    """Refuse classes whose names differ by case, spaces or Unicode form alone.

    Parameters
    ----------
    places : dict of str to str
        The place of each class name, for the message.
    source : path-like
        For the message.
    """
    first = {}
    for name, place in places.items():
        other = places[first.setdefault(fold_name(name), name)]
        if other != place:
            # Names that look the same are shown as escapes.
            forms = {unicodedata.normalize("NFC", text) for text in (other, place)}
            show = ascii if len(forms) == 1 else repr
            raise BadInput(
                f"{source}: {show(other)} and {show(place)} differ by case, spaces or Unicode form "
                "alone: give both the same name, or names that differ more"
            )


def find_part(name):
    """Return which of `PARTS` a name states by one of its words, or "" if none or several.

    Examples
    --------
    >>> [find_part(name) for name in ("Training Set", "seg_test", "valid", "train-test", "Tulip")]
    ['train', 'test', 'validation', '', '']
    """
    words = [word.removesuffix("set") for word in re.split(r"[\W\d_]+", name.casefold())]
    parts = {_PART_WORDS[word] for word in words if word in _PART_WORDS}
    return parts.pop() if len(parts) == 1 else ""


def make_free_path(folder, name):
    """Make `folder` and return a free path for `name` in it; a taken name gets a number.

    Folders of one class may hold the same name twice, as train/Tulip and test/Tulip often do. The
    name is made printable and short because tables and DVC have to store it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = make_printable(name)
    stem, suffix = os.path.splitext(name)
    if len(suffix.encode()) > _MAX_SUFFIX_BYTES:
        stem = name
        suffix = ""
    stem = shorten_name(stem, len(suffix.encode()))
    path = folder / f"{stem}{suffix}"
    number = 2
    while path.exists():
        path = folder / f"{stem}-{number}{suffix}"
        number += 1
    return path
