"""Sells: `python -m shop bread tea`."""

import sys

from ledger import Book

from shop.prices import PRICES


def main() -> int:
    book = Book()
    for thing in sys.argv[1:]:
        book.enter(thing, PRICES[thing])
    print(book.balance())
    return 0


if __name__ == "__main__":
    sys.exit(main())
