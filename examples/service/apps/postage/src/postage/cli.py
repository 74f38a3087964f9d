"""The command."""

import argparse
import sys

from postage import __version__
from postage.quotes import quote
from postage.zones import zones


def main(arguments=None):
    """Returns the exit status."""
    parser = argparse.ArgumentParser(prog="postage", description="What a parcel costs.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    ask = commands.add_parser("quote", help="what one parcel costs")
    ask.add_argument("grams", type=int)
    ask.add_argument("country")
    commands.add_parser("zones", help="where parcels go to")
    commands.add_parser("explain", help="how it is calculated")
    serve = commands.add_parser("serve", help="answer over HTTP")
    serve.add_argument("--port", type=int, default=8000)
    chosen = parser.parse_args(arguments)
    try:
        return COMMANDS[chosen.command](chosen)
    except ValueError as error:
        print(f"postage: {error}", file=sys.stderr)
        return 1


def show_quote(chosen):
    from postage.pages import receipt

    print(receipt(quote(chosen.grams, chosen.country)), end="")
    return 0


def show_zones(_chosen):
    import tidytable

    rows = [(zone.country, zone.name, str(zone.base)) for zone in zones().values()]
    print(tidytable.table(("country", "zone", "from"), rows))
    return 0


def explain(_chosen):
    import inspect

    from postage import tariffs

    print(inspect.getsource(tariffs.surcharge), end="")
    return 0


def serve(chosen):
    from postage.server import serve_forever

    serve_forever(chosen.port)
    return 0


COMMANDS = {"quote": show_quote, "zones": show_zones, "explain": explain, "serve": serve}
