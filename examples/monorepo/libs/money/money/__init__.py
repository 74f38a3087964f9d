"""Amounts that know their currency."""

from money.amount import Amount

__all__ = ["Amount"]
