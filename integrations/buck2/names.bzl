"""Names and paths of caches: no rules, nothing of one build tool."""

def cache_tag(version):
    """The tag of an interpreter's caches (PEP 3147).

    Args:
      version: such as 3.11 or 3.11.7.

    Returns:
      Such as cpython-311.
    """
    parts = version.split(".")
    if len(parts) < 2 or parts[0] != "3" or not parts[1].isdigit():
        fail("a Python version is wanted, such as 3.11, and this is none: %r" % version)
    return "cpython-3" + parts[1]

def cache_path(path, tag, optimize):
    """Where the cache of a source is (PEP 3147, PEP 488).

    Args:
      path: of the source, with `/`.
      tag: of the interpreter.
      optimize: "0", "1" or "2".

    Returns:
      Such as pkg/__pycache__/m.cpython-311.opt-1.pyc.
    """
    folder, _, name = path.rpartition("/")
    level = "" if optimize == "0" else ".opt-" + optimize
    name = "__pycache__/%s.%s%s.pyc" % (name[:-len(".py")], tag, level)
    return folder + "/" + name if folder else name

def entry(source, recorded, output):
    """An argument of `bytekiln compile`.

    Args:
      source: path of the source.
      recorded: path that tracebacks show.
      output: path of the .pyc.

    Returns:
      SOURCE=RECORDED=OUTPUT.
    """
    for path in [source, recorded, output]:
        if "=" in path or "\n" in path:
            fail("a path with `=` or a line end cannot be compiled: %r" % path)
    return "%s=%s=%s" % (source, recorded, output)
