"""Results of the study and the tools that produce them: python -m study.<name>."""

from flowers.base.determinism import set_deterministic
from flowers.base.errors import exit_on_interrupt

exit_on_interrupt()
# Before numpy is imported: the study computes the same bits as the stages.
set_deterministic()
