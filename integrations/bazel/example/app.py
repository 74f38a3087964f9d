"""The program of the example."""
from shared import greeting, words
import version


def main():
    print(greeting.greet(words.WORLD), version.VERSION)


if __name__ == "__main__":
    main()
