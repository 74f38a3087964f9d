"""The tariff."""

from money import Amount


def surcharge(grams):
    """Every kilogram that is begun costs 90 cents, and from the eleventh one on 60."""
    kilograms = -(-grams // 1000)
    return Amount(90) * min(kilograms, 10) + Amount(60) * max(kilograms - 10, 0)
