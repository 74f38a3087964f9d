"""A book of entries, and its balance."""

from money import Amount


class Entry:
    """One line of a book."""

    def __init__(self, text: str, amount: Amount) -> None:
        self.text = text
        self.amount = amount


class Book:
    """Entries in the order in which they were made."""

    def __init__(self) -> None:
        self.entries = []

    def enter(self, text: str, amount: Amount) -> None:
        self.entries.append(Entry(text, amount))

    def balance(self) -> Amount:
        total = Amount(0)
        for entry in self.entries:
            total = total + entry.amount
        return total
