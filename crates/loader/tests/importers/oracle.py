# Builds trees as they are described and says what this interpreter's importers do with them.
# Started as: python [-O…] oracle.py BASE CASES. CASES is a Python literal; see `world.rs`.
import ast
import importlib.machinery
import os
import sys
import types
import zipfile
import zipimport

import _imp

PathFinder = importlib.machinery.PathFinder
SUFFIXES = importlib.machinery.EXTENSION_SUFFIXES + [".py", ".pyc"]
compiled = []
from_zip = []


def hook():
    source_loader = importlib.machinery.SourceFileLoader
    to_code = source_loader.source_to_code

    def source_to_code(self, data, path, *rest, **named):
        compiled.append(path)
        return to_code(self, data, path, *rest, **named)

    source_loader.source_to_code = source_to_code
    compile_source = zipimport._compile_source
    unmarshal = zipimport._unmarshal_code

    def zip_compile(path, *rest):
        compiled.append(path)
        return compile_source(path, *rest)

    def zip_unmarshal(self, path, *rest):
        code = unmarshal(self, path, *rest)
        if code is not None:
            from_zip.append(path)
        return code

    zipimport._compile_source = zip_compile
    zipimport._unmarshal_code = zip_unmarshal


def build_folder(where, entries):
    os.makedirs(where)
    for path, content, _ in entries:
        full = os.path.join(where, path)
        if content is None:
            os.makedirs(full, exist_ok=True)
        else:
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "wb") as file:
                file.write(bytes.fromhex(content))
    for path, content, stamp in entries:
        if content is not None:
            os.utime(os.path.join(where, path), (stamp, stamp))


def build_zip(where, entries):
    os.makedirs(os.path.dirname(where), exist_ok=True)
    with zipfile.ZipFile(where, "w") as archive:
        for path, content, stamp in entries:
            date, time = stamp
            info = zipfile.ZipInfo(path + "/" if content is None else path)
            info.date_time = (
                (date >> 9) + 1980, date >> 5 & 15, date & 31,
                time >> 11, time >> 5 & 63, (time & 31) * 2,
            )
            archive.writestr(info, bytes.fromhex(content or ""))


def names_of(case):
    """Names that could be found, by the package that they are in."""
    names = {}
    for root in case["roots"]:
        for path, _, _ in root["entries"]:
            package = ""
            for part in path.split("/"):
                stems = [part] + [part[: -len(suffix)] for suffix in SUFFIXES if part.endswith(suffix)]
                for stem in stems:
                    if stem.isidentifier() and stem != "__pycache__" and (stem != "__init__" or not package):
                        names.setdefault(package, set()).add(stem)
                package += part + "."
    return names


def failure(error):
    kinds = (EOFError, ImportError, TypeError)
    return next((kind.__name__ for kind in kinds if isinstance(error, kind)), "Exception"), ""


def outcome(name, spec):
    del compiled[:], from_zip[:]
    loader = spec.loader
    if isinstance(loader, importlib.machinery.ExtensionFileLoader):
        return "extension", spec.origin
    try:
        code = loader.get_code(name)
    except Exception as error:
        return failure(error)
    if compiled:
        return "compiled", compiled[0]
    path = from_zip[0] if from_zip else spec.origin
    if spec.cached and isinstance(loader, importlib.machinery.SourceFileLoader):
        path = spec.cached
        if code.co_filename != spec.origin:
            return "path not repaired", path
    return "cache", path


def search(names, prefix, path, found):
    for name in sorted(names.get(prefix, ())):
        full = prefix + name
        try:
            spec = PathFinder.find_spec(full, path)
        except Exception as error:
            # The finder for zips loads the code already, for its file name.
            found.append((full,) + failure(error))
            continue
        if spec is None:
            continue
        below = spec.submodule_search_locations
        if spec.loader is not None:
            found.append((full,) + outcome(full, spec))
        if below is not None:
            below = list(getattr(below, "_path", below))
            module = sys.modules[full] = types.ModuleType(full)
            module.__path__ = below
            search(names, full + ".", below, found)
            del sys.modules[full]


def main():
    base, cases = sys.argv[1:]
    sys.dont_write_bytecode = True
    hook()
    tag = sys.implementation.cache_tag
    with open(cases) as file:
        cases = ast.literal_eval(file.read())
    own_path = sys.path[:]
    for number, case in enumerate(cases):
        print("case", number)
        locations = []
        for position, root in enumerate(case["roots"]):
            where = os.path.join(base, "c%d" % number, "r%d" % position)
            if root["zip"]:
                where += ".zip"
                build_zip(where, root["entries"])
            else:
                build_folder(where, root["entries"])
            locations.append(where)
        sys.pycache_prefix = None
        if case["prefix"] is not None:
            sys.pycache_prefix = os.path.join(base, "c%d" % number, "prefix")
            build_folder(sys.pycache_prefix, case["prefix"])
        sys.implementation.cache_tag = tag if case["tag"] else None
        _imp.check_hash_based_pycs = case["check"]
        sys.path[:] = locations
        found = []
        search(names_of(case), "", locations, found)
        sys.path[:] = own_path
        for name, kind, path in found:
            print(name, kind, os.path.relpath(path, os.path.join(base, "c%d" % number)) if path else "-", sep="\t")
    sys.implementation.cache_tag = tag


main()
