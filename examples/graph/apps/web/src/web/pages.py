"""Pages."""

from orders.catalogue import CATALOGUE


def front() -> str:
    return ", ".join(CATALOGUE)
