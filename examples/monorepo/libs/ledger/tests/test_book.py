"""Tests are not shipped, so they are not compiled: see `exclude` in bytekiln.toml."""

from ledger import Book
from money import Amount


def test_balance():
    book = Book()
    book.enter("rent", Amount(-70000))
    book.enter("wages", Amount(210000))
    assert book.balance() == Amount(140000)
