"""The stages of dvc.yaml, one file each; `stages.support` is imported before numpy."""

import stages.support  # noqa: F401
