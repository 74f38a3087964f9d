"""What to say, from a data file of the package."""
import pkgutil

from greeter.catalogue.sentence import greet

__all__ = ["greet", "load"]


def load():
    text = pkgutil.get_data("greeter", "texts/greetings.txt").decode("utf-8")
    return dict(line.split(": ", 1) for line in text.splitlines() if line)
