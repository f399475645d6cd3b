"""Photos as a user has them."""

import pytest


@pytest.fixture
def folder(tmp_path):
    """Writes a tree of class folders: {"Tulip": {"a.jpg": bytes}}."""

    def written(tree):
        for label, files in tree.items():
            (tmp_path / "photos" / label).mkdir(parents=True)
            for name, content in files.items():
                (tmp_path / "photos" / label / name).write_bytes(content)
        return str(tmp_path / "photos")

    return written
