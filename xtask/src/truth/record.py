"""Starts a program as its user would and records what it imports: `record.py OUT DRIVER ARGUMENTS...`.

A finder in front of all others sees each module that is looked for, and from where; it finds nothing.
A wrapper of `__import__` would see every statement, but changes the frames that programs look at.
"""
import sys

BEFORE = sorted(sys.modules)
import opcode

IMPORT_NAME = opcode.opmap["IMPORT_NAME"]
for own in set(sys.modules).difference(BEFORE):
    del sys.modules[own]
BOOTSTRAP = ("<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>")
EVENTS = []


class Finder:
    """Notes the frame that asked; `extension` is the module being created or executed on the way, if
    the import comes from its C code."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        frame = sys._getframe(1)
        extension, by_function = None, False
        while frame is not None:
            code = frame.f_code
            inside = code.co_filename in BOOTSTRAP
            if inside and code.co_name == "_load_unlocked" and extension is None:
                spec = frame.f_locals.get("spec")
                extension = spec.name if spec is not None else None
            elif code.co_name == "import_module" and code.co_filename.endswith("importlib/__init__.py"):
                by_function = True
            elif not inside or code.co_name == "get_resource_reader":
                break
            frame = frame.f_back
        # A module's own code ends the walk before its `_load_unlocked` is met.
        outer = frame
        while outer is not None and not outer.f_code.co_flags & 1 and outer.f_code.co_name != "<module>":
            outer = outer.f_back
        EVENTS.append((name, frame and (frame.f_code, frame.f_lasti, frame.f_lineno, file_of_frame(frame)),
                       outer.f_code.co_name if outer is not None else None, extension, by_function))
        return None


def file_of_frame(frame):
    """Frozen modules know their file by another name."""
    name = frame.f_code.co_filename
    return frame.f_globals.get("__file__", name) if name.startswith("<frozen ") else name


def run(driver, arguments):
    with open(driver, "rb") as file:
        code = compile(file.read(), driver, "exec")
    sys.argv[:] = [driver, *arguments]
    sys.path[0] = driver.rpartition("/")[0]
    main = sys.modules["__main__"]
    namespace = {"__name__": "__main__", "__file__": driver, "__builtins__": __builtins__,
                 "__package__": None, "__spec__": None, "__loader__": None, "__doc__": None}
    main.__dict__.update(namespace)
    sys.meta_path.insert(0, Finder)
    try:
        exec(code, main.__dict__)
    except SystemExit as exit:
        return exit.code
    finally:
        if Finder in sys.meta_path:
            sys.meta_path.remove(Finder)
    return 0


def describe(event):
    name, where, function, extension, by_function = event
    told = {"name": name, "function": function, "extension": extension, "file": None, "line": 0,
            "how": "call"}
    if where is not None:
        code, last, line, file = where
        told["file"], told["line"] = file, line or 0
        if extension is not None:
            told["how"] = "extension"
        elif by_function:
            told["how"] = "import_module"
        elif code.co_code[last] == IMPORT_NAME:
            told["how"] = "statement"
    return told


def finish(out, status):
    modules = {name: module for name, module in sorted(sys.modules.items())}
    import json
    told = {
        "status": status if isinstance(status, int) or status is None else str(status),
        "before": BEFORE,
        "built_in": sys.builtin_module_names,
        "modules": {name: file_of(module) for name, module in modules.items()},
        "events": [describe(event) for event in EVENTS],
    }
    with open(out, "w", encoding="ascii") as file:
        json.dump(told, file)


def file_of(module):
    try:
        spec = getattr(module, "__spec__", None)
        file = getattr(module, "__file__", None) or (spec.origin if spec and spec.has_location else None)
        return file if isinstance(file, str) else None
    except Exception:  # Whatever a stand-in for a module may raise.
        return None


if __name__ == "__main__":
    finish(sys.argv[1], run(sys.argv[2], sys.argv[3:]))
