"""The program: greets whoever is named, in the language of `--in`."""
import argparse
import sys

from greeter import catalogue


def main():
    parser = argparse.ArgumentParser(prog="greeter")
    parser.add_argument("names", nargs="*", default=["world"])
    parser.add_argument("--in", dest="language", default="English")
    parser.add_argument("--languages", action="store_true", help="list them and stop")
    options = parser.parse_args()
    greetings = catalogue.load()
    if options.languages:
        print("\n".join(sorted(greetings)))
        return 0
    for name in options.names:
        print(catalogue.greet(greetings, options.language, name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
