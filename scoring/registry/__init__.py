"""The model registry: promotion by git tags."""
