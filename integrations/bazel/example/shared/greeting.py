"""How to greet."""


def greet(whom):
    return f"Hello, {whom}!"
