"""Addition."""


def add(left: float, right: float) -> float:
    """The sum of two numbers."""
    return left + right
