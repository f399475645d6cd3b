"""The registry: promotion by git tags."""

from flowers.base.errors import install_interrupt_message

install_interrupt_message("scoring.registry")
