"""What the stages share. Importing it, before numpy, makes the numerics deterministic."""

import os

from flowers.base.determinism import set_deterministic
from flowers.base.errors import install_interrupt_message

install_interrupt_message(os.environ.get("DVC_STAGE", "stage"))
set_deterministic()
