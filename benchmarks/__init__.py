"""Speed, memory and attack, each one command: python -m benchmarks.<name>."""

from flowers.base.determinism import set_deterministic
from flowers.base.errors import exit_on_interrupt

exit_on_interrupt()
# Before numpy is imported: the arithmetic measured is that of the stages and the scorer.
set_deterministic()
