"""The stages of dvc.yaml, one file each; imported before numpy, so the pins take effect."""

from flowers.pins import pin

pin()
