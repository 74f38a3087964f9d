"""Prices in cents."""

import decimal


def in_cents(text: str) -> int:
    return int(decimal.Decimal(text) * 100)


def price_of(name: str) -> int:
    from orders.catalogue import CATALOGUE

    return CATALOGUE[name]
