"""Amounts of money, in whole cents."""

from money.amount import Amount

__all__ = ["Amount"]
