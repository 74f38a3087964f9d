"""Words that nobody owns."""

WORLD = "world"
