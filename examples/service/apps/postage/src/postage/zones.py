"""Where parcels go to: `data/zones.csv`."""

import csv
import functools
from importlib import resources
from typing import NamedTuple

from money import Amount


class Zone(NamedTuple):
    """A country and what a parcel to it costs at least."""

    country: str
    name: str
    base: Amount


@functools.cache
def zones():
    """All of them, by country."""
    text = resources.files("postage").joinpath("data/zones.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {row["country"]: Zone(row["country"], row["zone"], Amount(int(row["cents"]))) for row in rows}
