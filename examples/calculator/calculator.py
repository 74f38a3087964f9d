"""Adds two numbers: `python calculator.py 2 3`."""

import sys

from mathematics.arithmetic.add import add
from mathematics.arithmetic.sub import sub
from mathematics.geometry.shapes import Circle, Rectangle

OPERATIONS = {"add": add, "sub": sub}


def main(arguments: list) -> int:
    if len(arguments) == 2:
        arguments = ["add", *arguments]
    if len(arguments) != 3 or arguments[0] not in OPERATIONS:
        print("usage: calculator.py [add|sub] LEFT RIGHT", file=sys.stderr)
        return 2
    operation = OPERATIONS[arguments[0]]
    left, right = (float(argument) for argument in arguments[1:])
    print(f"{operation(left, right):g}")
    print(f"a circle of that radius measures {Circle(operation(left, right)).area():.2f}")
    print(f"a {left:g} by {right:g} rectangle measures {Rectangle(left, right).area():g}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
