"""What the state wants."""

RATE = 19


def with_tax(cents):
    """The price with tax, rounded to whole cents."""
    return round(cents * (100 + RATE) / 100)


def is_plausible(cents):
    return 0 <= cents < 1_000_000
