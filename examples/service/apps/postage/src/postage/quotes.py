"""A price for a parcel."""

from dataclasses import dataclass

from money import Amount
from postage.tariffs import surcharge
from postage.zones import zones

HEAVIEST = 30_000


@dataclass(frozen=True)
class Quote:
    """What one parcel costs, and why."""

    country: str
    zone: str
    grams: int
    base: Amount
    weight: Amount

    @property
    def total(self):
        return self.base + self.weight


def quote(grams, country):
    """The price of a parcel; `ValueError` if there is none."""
    if not 0 < grams <= HEAVIEST:
        raise ValueError(f"a parcel weighs 1 to {HEAVIEST} grams, and not {grams}")
    zone = zones().get(country.upper())
    if zone is None:
        raise ValueError(f"nothing is sent to {country}")
    return Quote(zone.country, zone.name, grams, zone.base, surcharge(grams))
