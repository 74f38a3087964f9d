"""Receipts."""

import reportlab.pdfgen

from orders.basket import Basket


def receipt(basket: Basket, version: str) -> str:
    return f"{basket.total()} ({version}, {reportlab.pdfgen})"
