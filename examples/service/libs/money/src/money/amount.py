"""An amount."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Amount:
    """Cents of one currency."""

    cents: int
    currency: str = "EUR"

    def __post_init__(self):
        if self.cents < 0:
            raise ValueError("no amount is less than nothing")

    def __add__(self, other):
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} have no sum")
        return Amount(self.cents + other.cents, self.currency)

    def __mul__(self, count):
        return Amount(self.cents * count, self.currency)

    def __str__(self):
        return f"{self.cents // 100}.{self.cents % 100:02} {self.currency}"
