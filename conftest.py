"""Loaded before every test: numpy must not be imported before the pins are set."""

from flowers.pins import pin

pin()
