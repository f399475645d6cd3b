"""The stages of dvc.yaml, one file each; imported before numpy, so the pins take effect."""

import os

from flowers.errors import say_interrupts
from flowers.pins import pin

say_interrupts(os.environ.get("DVC_STAGE", "stage"))
pin()
