"""An amount of money, counted in the currency's smallest unit."""


class Amount:
    """So many cents of one currency."""

    def __init__(self, cents: int, currency: str = "EUR") -> None:
        assert isinstance(cents, int), "money is counted, not measured"
        self.cents = cents
        self.currency = currency

    def __add__(self, other: "Amount") -> "Amount":
        if self.currency != other.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}")
        return Amount(self.cents + other.cents, self.currency)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Amount)
            and (self.cents, self.currency) == (other.cents, other.currency)
        )

    def __hash__(self) -> int:
        return hash((self.cents, self.currency))

    def __str__(self) -> str:
        return f"{self.cents / 100:.2f} {self.currency}"
