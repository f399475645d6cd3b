"""The digest of a source changes with its photos, so that DVC reads it again."""

import os

from study.experiments import hash_path


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
