"""Tables and recorded output in README.md and docs/."""
