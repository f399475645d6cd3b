"""The registry: promotion by git tags."""

from flowers.errors import say_interrupts

say_interrupts("scoring.registry")
