"""Shapes in the plane."""

import math


class Shape:
    """Something with an area."""

    def area(self) -> float:
        raise NotImplementedError(f"{type(self).__name__} has no area")


class Circle(Shape):
    """All points closer to a centre than the radius."""

    def __init__(self, radius: float) -> None:
        assert radius >= 0, "a circle of negative radius"
        self.radius = radius

    def area(self) -> float:
        return math.pi * self.radius**2


class Rectangle(Shape):
    """Four right angles."""

    def __init__(self, width: float, height: float) -> None:
        assert width >= 0 and height >= 0, "a rectangle of negative size"
        self.width = width
        self.height = height

    def area(self) -> float:
        return self.width * self.height
