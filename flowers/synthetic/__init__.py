"""The stand-in set of photos, drawn from seeds."""
