"""Prices, as a customer sees them."""

from shop.tax import with_tax

__all__ = ["with_tax"]
