"""Starts the server."""

from typing import TYPE_CHECKING

from payments import charge
from web import pages
from web.version import VERSION

if TYPE_CHECKING:
    from orders.basket import Basket

try:
    import uvloop
except ImportError:
    uvloop = None


def checkout(basket: "Basket") -> str:
    from web.receipts import receipt

    charge(basket)
    return receipt(basket, VERSION)


if __name__ == "__main__":
    print(pages.front())
