"""Edges between modules of a package as grimp and CPython's modulefinder see them, as JSON:
`others.py ROOT PACKAGE`, with grimp on PYTHONPATH. Runs nothing of the package."""
import json
import modulefinder
import os
import sys


def modules(root, package):
    for folder, folders, files in os.walk(os.path.join(root, package)):
        folders.sort()
        if "__init__.py" in files or "." not in os.path.basename(folder):
            for file in sorted(files):
                stem, extension = os.path.splitext(file)
                if extension == ".py" and "." not in stem:
                    parts = os.path.relpath(os.path.join(folder, stem), root).split(os.sep)
                    yield ".".join(parts[:-1] if stem == "__init__" else parts)


class Finder(modulefinder.ModuleFinder):
    """Remembers which module has which statement. What that leads to is looked up at the end: on its
    way modulefinder skips `from .math import ...` once `import math` failed."""

    def __init__(self, path):
        super().__init__(path)
        self.asked = set()

    def scan_code(self, code, module):
        for what, arguments in self.scan_opcodes(code):
            if what == "absolute_import":
                names, target = arguments
            elif what == "relative_import":
                level, names, name = arguments
                parts = module.__name__.split(".")
                keep = len(parts) - level + (1 if module.__path__ else 0)
                target = ".".join([*parts[:keep], *([name] if name else [])])
            else:
                continue
            self.asked.add((module.__name__, target))
            self.asked.update((module.__name__, f"{target}.{item}") for item in names or ())
        super().scan_code(code, module)


def by_modulefinder(root, package):
    finder = Finder([root])
    for name in modules(root, package):
        try:
            finder.import_hook(name)
        except (ImportError, SyntaxError):
            pass
    prefix = package + "."
    known = {name for name in finder.modules if name == package or name.startswith(prefix)}
    return {(a, b) for a, b in finder.asked if a in known and b in known}


def by_grimp(root, package):
    sys.path.insert(0, root)
    import grimp

    graph = grimp.build_graph(package, include_external_packages=True, cache_dir=None)
    return {(a, b) for a in graph.modules for b in graph.find_modules_directly_imported_by(a)}


def main(root, package):
    sys.setrecursionlimit(100_000)  # modulefinder goes down as deep as imports do
    told = {"modules": sorted(modules(root, package))}
    for name, find in (("modulefinder", by_modulefinder), ("grimp", by_grimp)):
        told[name] = sorted((a, b) for a, b in find(root, package) if a != b)
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
