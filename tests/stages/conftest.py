"""Folders of images as a user has them."""

import pytest


@pytest.fixture
def folder(tmp_path):
    """A function that writes class folders, {"Tulip": {"a.jpg": bytes}}, and returns their path."""

    def write(tree):
        for label, files in tree.items():
            (tmp_path / "photos" / label).mkdir(parents=True)
            for name, content in files.items():
                (tmp_path / "photos" / label / name).write_bytes(content)
        return str(tmp_path / "photos")

    return write
