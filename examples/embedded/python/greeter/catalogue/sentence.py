"""Makes a sentence of a greeting and a name."""


def greet(greetings, language, name):
    return "{}, {}!".format(greetings[language], name)
