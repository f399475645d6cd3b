"""What the stages share. Importing it, before numpy, makes the numerics deterministic."""

from flowers.base.determinism import set_deterministic
from flowers.base.errors import exit_on_interrupt
from flowers.base.memory import keep_freed_memory

exit_on_interrupt()
set_deterministic()
keep_freed_memory()
