"""The pages of the documentation and the code that renders their tables."""
