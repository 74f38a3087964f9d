"""Charges cards."""

from payments.cards import charge

__all__ = ["charge"]
