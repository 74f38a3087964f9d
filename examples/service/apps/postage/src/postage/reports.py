"""What was sent in a month. Run by hand; the command does not import it."""

from collections import Counter

import tidytable


def by_zone(quotes):
    """A table of how many parcels went to each zone."""
    counted = Counter(quote.zone for quote in quotes)
    rows = [(zone, str(count)) for zone, count in sorted(counted.items())]
    return tidytable.table(("zone", "parcels"), rows)
