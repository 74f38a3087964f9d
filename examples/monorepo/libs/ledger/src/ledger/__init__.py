"""Who paid what."""

from ledger.book import Book, Entry

__all__ = ["Book", "Entry"]
