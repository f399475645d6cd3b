"""The scorer over HTTP: Flask on waitress, in one process."""
