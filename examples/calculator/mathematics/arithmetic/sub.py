"""Subtraction."""

from mathematics.arithmetic.add import add


def sub(left: float, right: float) -> float:
    """What is left of one number when another is taken away."""
    return add(left, -right)
