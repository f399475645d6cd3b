"""Parameters reach params.yaml unchanged; the digest of a source changes with its photos."""

import os
from datetime import date
from pathlib import Path

import pytest
from dvc.utils.hydra import apply_overrides
from hypothesis import given, settings
from hypothesis import strategies as st

from flowers.base.errors import BadInput
from stages.support.run import read_yaml
from study.experiments import format_options, hash_path

ODD_PATHS = st.text(st.sampled_from("a '\"\\${},=[]()%#:~é|*?!&"), min_size=1, max_size=9)


def set_by_dvc(path, value):
    """Set a parameter as DVC does, and read it."""
    path.write_text(f"fetch:\n  path: {'{a: 1}' if isinstance(value, dict) else 'null'}\n")
    words = format_options({"fetch.path": value})
    assert set(words[::2]) == {"-S"}
    apply_overrides(path, words[1::2])
    return read_yaml(path)["fetch"]["path"]


@pytest.mark.parametrize(
    "value",
    [None, True, False, 1, 2.5, 1e-9, 1e22, [], [0.1, 3], ["hog", "a b"], "", "true", "NULL", "nan"]
    + [{}, {"n_estimators": 100, "b": [[1, 2.5], [], {"c d": 'it\'s "e", {f: 1}'}], "g": None}]
    + [{"class_weight": {0: 1.5, "sweet pea": 2}, "a_": [True, "true", "x y", "\\"]}]
    + ["1e5", "1.5", "-3", "12", "/a/b.zip", "~/x", "a,b", "${oc.env:HOME}", "\\${a}", "1" * 64],
)
def test_a_value_keeps_its_type(tmp_path, value):
    result = set_by_dvc(tmp_path / "params.yaml", value)
    assert (result, type(result)) == (value, type(value))


@pytest.mark.parametrize("value", [{"é": 1}, {"true": 1}, {"1": 1}, {"a:b": 1}, [date(2020, 1, 1)]])
def test_a_value_without_a_form_in_the_grammar_is_refused(value):
    with pytest.raises(BadInput):
        format_options({"train_other.options": value})


@settings(deadline=None, max_examples=25, derandomize=True)
@given(name=ODD_PATHS)
def test_any_path_is_unchanged(tmp_path_factory, name):
    path = tmp_path_factory.getbasetemp() / "odd.yaml"
    assert set_by_dvc(path, Path("/a", name)) == str(Path("/a", name))


def test_the_digest_of_a_folder_follows_links(tmp_path):
    folder = tmp_path / "photos"
    (tmp_path / "store").mkdir()
    (folder / "Rose").mkdir(parents=True)
    (folder / "Iris").symlink_to(tmp_path / "store")
    (tmp_path / "store/1.jpg").write_bytes(b"one")
    (folder / "Rose/2.jpg").symlink_to(tmp_path / "store/1.jpg")
    (folder / "Rose/gone").symlink_to("nowhere")
    os.mkfifo(folder / "Rose/pipe")
    digest = hash_path(folder)
    assert hash_path(folder) == digest
    (tmp_path / "store/1.jpg").write_bytes(b"two")
    changed = hash_path(folder)
    (tmp_path / "store/1.jpg").rename(tmp_path / "store/3.jpg")
    assert len({digest, changed, hash_path(folder)}) == 3
