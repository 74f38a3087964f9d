"""Texts for people, from templates."""

from importlib import resources
from string import Template


def receipt(quote):
    """A quote as a text."""
    template = resources.files("postage.pages").joinpath("templates/receipt.txt")
    values = {
        "country": quote.country,
        "zone": quote.zone,
        "grams": quote.grams,
        "base": quote.base,
        "weight": quote.weight,
        "total": quote.total,
    }
    return Template(template.read_text(encoding="utf-8")).substitute(values)
