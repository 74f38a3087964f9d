"""What things cost."""

from money import Amount

PRICES = {"bread": Amount(320), "butter": Amount(289), "tea": Amount(450)}
