"""The registry: promotion by git tags."""
