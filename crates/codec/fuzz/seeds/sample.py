"""Something of everything that a compiler puts into a code object."""
from math import pi as π

NUMBERS = (0, -1, 1 << 40, -(1 << 70), 1.5, -0.0, 2j, True, None, ...)


class Point:
    __slots__ = ("x", "y")

    def __init__(self, x, /, y=0, *rest, scale=1.0, **more):
        self.x, self.y = x * scale, y

    def kind(self):
        if self.x in {"left", "right", "größe", "\ud800", ("nested", 1), b"bytes"}:
            return [lambda: self.x, f"{self.y!r:>10}"]
        try:
            return self.kind()[1:-1]
        except (ValueError, OSError) as error:
            raise KeyError("no such kind, whatever it may be: " + "x" * 300) from error


async def run(points):
    async for point in points:
        yield π, (await point) if point else {"left", "right"}
