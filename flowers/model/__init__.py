"""A trained model: its folder, its card, its reference set and its predictions."""
