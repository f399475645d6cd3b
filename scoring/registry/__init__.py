"""The model registry: promotion by git tags."""

from flowers.base.errors import exit_on_interrupt

exit_on_interrupt("scoring.registry")
