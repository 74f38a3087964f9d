"""Imports modules from a blob of Bytekiln: all .pyc of a program in one file with an index.

    import bytekiln_blob
    bytekiln_blob.install("program.blob")           # a path, bytes, or anything with a buffer
    bytekiln_blob.run(bytekiln_blob.Blob(data), "app.main")

Works on CPython 3.8 to 3.15 with the standard library alone. At start it uses only modules that
every interpreter has loaded by then; what is asked for rarely imports what it needs. No byte is
unmarshalled whose digest has not been checked: the index when a blob is opened, a module when it
is imported. docs/blob.md of Bytekiln has the format.
"""
import _imp
import marshal
import sys
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import MAGIC_NUMBER, PathFinder, _LoaderBasics, decode_source

__all__ = ["Blob", "BlobError", "Finder", "install", "run"]

VERSION = 1
_MAGIC = b"\x8bBKBLOB\n"
_MODULE, _PACKAGE, _NAMESPACE = range(3)
_MODULE_RECORD, _DATA_RECORD, _TAIL = 56, 32, 64
_DIGEST_KEY = int.from_bytes(MAGIC_NUMBER, "little")


class BlobError(ImportError):
    """Not a blob, not one for this interpreter, or a damaged one."""


class Blob:
    """An opened blob. `name` stands for it in paths: `<blob>/app/main.py`."""

    def __init__(self, source, name="<blob>"):
        view = memoryview(source).cast("B")
        if view[:8] != _MAGIC:
            raise BlobError(name + " is no blob of Bytekiln")
        tail = bytes(view[-_TAIL:])
        if len(view) < 16 + _TAIL:
            raise BlobError(name + " is cut off")
        version = int.from_bytes(view[8:12], "little")
        if version != VERSION:
            raise BlobError("{} is a blob of version {}, this finder reads version {}: take the one "
                            "of the release that packed it".format(name, version, VERSION))
        if int.from_bytes(tail[40:48], "little") != len(view):
            raise BlobError(name + " is cut off or has bytes after it")
        self.name = name
        self.magic_number = int.from_bytes(tail[:2], "little")
        self.optimization = tail[4]
        self.cache_tag = tail[8:8 + tail[5]].decode("ascii", "replace")
        if tail[:4] != MAGIC_NUMBER:
            raise BlobError(
                "{} holds bytecode of {} (magic number {}), but this is CPython {}.{}.{} (magic "
                "number {}): run it with the former, or pack it for the latter".format(
                    name, self.cache_tag, self.magic_number, *sys.version_info[:3],
                    int.from_bytes(MAGIC_NUMBER[:2], "little")))
        index = int.from_bytes(tail[32:40], "little")
        self._view = view[:index]
        self._index = bytes(view[index:])
        if index < 16 or _imp.source_hash(_DIGEST_KEY, self._index[:-8]) != tail[56:]:
            raise BlobError("the index of {} is damaged: its digest does not match".format(name))
        self._modules = int.from_bytes(tail[48:52], "little")
        self._data = int.from_bytes(tail[52:56], "little")
        self._data_at = self._modules * _MODULE_RECORD
        self._names_at = self._data_at + self._data * _DATA_RECORD
        if self._names_at > len(self._index) - _TAIL:
            raise BlobError(name + " is malformed: it has more records than bytes")
        # The records as numbers of four bytes: what is searched at each import is not sliced.
        self._words = memoryview(self._index)[:self._names_at].cast("I")
        if sys.byteorder == "big":
            from array import array
            self._words = array("I", self._index[:self._names_at])
            self._words.byteswap()

    @classmethod
    def open(cls, path, offset=0, length=None, name="<blob>"):
        """Maps a file, or the part of a file that is a blob, such as in an executable."""
        import mmap
        import os
        with open(path, "rb") as file:
            if length is None:
                length = os.fstat(file.fileno()).st_size - offset
            before = offset % mmap.ALLOCATIONGRANULARITY
            if length <= 0:
                raise BlobError("{} is no blob of Bytekiln".format(path))
            mapped = mmap.mmap(file.fileno(), length + before, access=mmap.ACCESS_READ,
                               offset=offset - before)
        return cls(memoryview(mapped)[before:], name)

    def _number(self, at):
        """Eight bytes of a record."""
        return self._words[at >> 2] | self._words[(at >> 2) + 1] << 32

    def _text(self, at, length_at):
        start = self._names_at + self._words[at >> 2]
        return self._index[start:start + (self._words[(at + length_at) >> 2] & 0xFFFF)]

    def _search(self, key, data=False):
        """The first record whose name is `key` or comes after it, by binary search."""
        index, words, names = self._index, self._words, self._names_at
        if data:
            base, width, length, low, high = self._data_at >> 2, _DATA_RECORD >> 2, 1, 0, self._data
        else:
            base, width, length, low, high = 0, _MODULE_RECORD >> 2, 2, 0, self._modules
        while low < high:
            middle = (low + high) >> 1
            at = base + middle * width
            start = names + words[at]
            if index[start:start + (words[at + length] & 0xFFFF)] < key:
                low = middle + 1
            else:
                high = middle
        return low

    def _module(self, name):
        """Where the record of a module is, or None."""
        key = name.encode("utf-8", "surrogatepass")
        at = self._search(key) * _MODULE_RECORD
        return at if at < self._data_at and self._text(at, 8) == key else None

    def _below(self, prefix, data=False):
        """Pairs of record and name without the prefix, of all names that have it."""
        key = prefix.encode("utf-8", "surrogatepass")
        count, base, width, length_at = (
            (self._data, self._data_at, _DATA_RECORD, 4) if data
            else (self._modules, 0, _MODULE_RECORD, 8))
        for position in range(self._search(key, data), count):
            name = self._text(base + position * width, length_at)
            if not name.startswith(key):
                break
            yield base + position * width, name[len(key):].decode()

    def _payload(self, name, start, length, digest):
        payload = self._view[start:start + length]
        if _imp.source_hash(_DIGEST_KEY, payload) != digest:
            raise BlobError("{} in {} is damaged: its digest does not match".format(
                name, self.name), name=name)
        return payload

    def _source(self, at, name):
        """The bytes of a module's source, or None."""
        if not self._index[at + 13] & 1:
            return None
        return bytes(self._payload(name, self._number(at + 24), self._words[(at + 36) >> 2],
                                   self._index[at + 48:at + 56]))

    def folder(self, path):
        """`<blob>/app/sub` to `app/sub`; None for a path that is not in this blob."""
        if not isinstance(path, str):
            return None
        if sys.platform == "win32":
            path = path.replace("\\", "/")
        if path == self.name:
            return ""
        return path[len(self.name) + 1:] if path.startswith(self.name + "/") else None

    def spec(self, folder, name):
        """The spec of a module that is in a folder, or None. Its loader is None for a namespace."""
        key = name.rpartition(".")[2]
        if folder:
            key = folder.replace("/", ".") + "." + key
        at = self._module(key)
        if at is None:
            return None
        kind, below = self._index[at + 12], "{}/{}".format(self.name, key.replace(".", "/"))
        if kind > _NAMESPACE:
            raise BlobError("{} in {} is of no known kind".format(key, self.name), name=name)
        if kind == _NAMESPACE:
            spec = ModuleSpec(name, None, is_package=True)
        else:
            start = self._names_at + self._words[(at + 4) >> 2]
            origin = self._index[start:start + (self._words[(at + 8) >> 2] >> 16)].decode()
            if origin:
                origin = "{}/{}".format(self.name, origin)
            else:
                origin = below + ("/__init__.py" if kind == _PACKAGE else ".py")
            loader = _Loader(self, name, key, at, origin)
            spec = ModuleSpec(name, loader, origin=origin, is_package=kind == _PACKAGE)
            spec.has_location = True
            spec.cached = None
        if kind != _MODULE:
            spec.submodule_search_locations.append(below)
        return spec

    def iter_modules(self, folder, prefix=""):
        """What pkgutil.iter_modules says of a folder: pairs of name and whether it is a package."""
        for at, name in self._below(folder.replace("/", ".") + "." if folder else ""):
            if "." not in name and self._index[at + 12] != _NAMESPACE:
                yield prefix + name, self._index[at + 12] == _PACKAGE

    def read(self, path):
        """The content of a data file, or of a source that the blob has; None for neither."""
        key = path.encode("utf-8", "surrogatepass")
        position = self._search(key, data=True)
        at = self._data_at + position * _DATA_RECORD
        if position < self._data and self._text(at, 4) == key:
            return bytes(self._payload(path, self._number(at + 8), self._number(at + 16),
                                       self._index[at + 24:at + 32]))
        if path.endswith(".py"):
            folder, _, stem = path[:-3].rpartition("/")
            name = folder if stem == "__init__" else path[:-3]
            spec = self.spec(*(name.rpartition("/")[::2]))
            if spec is not None and spec.origin == "{}/{}".format(self.name, path):
                return spec.loader.source()
        return None

    def listdir(self, folder):
        """What is in a folder: names, and whether each is a folder. Empty for what is none."""
        prefix = folder + "/" if folder else ""
        found = {}
        for _, path in self._below(prefix, data=True):
            name, slash, _ = path.partition("/")
            found[name] = bool(slash)
        dotted = folder.replace("/", ".")
        own = self._module(dotted) if folder else None
        if own is not None and self._index[own + 12] == _PACKAGE and self._index[own + 13] & 1:
            found["__init__.py"] = False
        for at, name in self._below(dotted + "." if folder else ""):
            if "." not in name and self._index[at + 12] != _MODULE:
                found[name] = True
            elif "." not in name and self._index[at + 13] & 1:
                found[name + ".py"] = False
        return found


class Finder:
    """What stands on sys.meta_path, before the finder of sys.path."""

    def __init__(self, blob):
        self.blob = blob

    def find_spec(self, name, path=None, target=None):
        folder = ""
        if path is not None:
            # What lies before us in `__path__` comes first; PathFinder then asks us by path_hook.
            folder = self.blob.folder(next(iter(path), None))
            if folder is None:
                return None
        spec = self.blob.spec(folder, name)
        if spec is None or spec.loader is not None:
            return spec
        others = PathFinder.find_spec(name, path)
        if others is not None:
            if others.loader is not None:
                return None  # a package with an `__init__` anywhere wins over a namespace
            known = spec.submodule_search_locations
            known.extend(place for place in others.submodule_search_locations if place not in known)
        spec.loader = _NamespaceLoader(self.blob, name, "", None, None)
        return spec

    def invalidate_caches(self):
        pass

    def iter_modules(self, prefix=""):
        return self.blob.iter_modules("", prefix)

    def path_hook(self, path):
        folder = self.blob.folder(path)
        if folder is None:
            raise ImportError("not in {}".format(self.blob.name), path=path)
        return _FolderFinder(self.blob, folder)

    def excepthook(self, kind, error, traceback):
        """Prints an exception with the lines that the blob has, and without what is above them:
        before 3.13, that of C looks for files only."""
        from traceback import print_exception
        ours = traceback
        while ours is not None and self.blob.folder(ours.tb_frame.f_code.co_filename) is None:
            ours = ours.tb_next
        print_exception(kind, error, ours or traceback)

    def find_distributions(self, context=None):
        """For importlib.metadata: each folder `*.dist-info` at the top."""
        from importlib import metadata
        blob = self.blob

        class BlobDistribution(metadata.Distribution):
            def __init__(self, folder):
                self.folder = folder

            def read_text(self, filename):
                data = blob.read("{}/{}".format(self.folder, filename))
                return None if data is None else data.decode("utf-8")

            def locate_file(self, path):
                return _Resource(blob, str(path))

        def normal(name):
            return name.lower().replace("-", "_").replace(".", "_")

        wanted = getattr(context, "name", None)
        for name, is_folder in sorted(blob.listdir("").items()):
            if is_folder and name.endswith(".dist-info"):
                if wanted is None or normal(name[:-10].partition("-")[0]) == normal(wanted):
                    yield BlobDistribution(name)


class _FolderFinder:
    """What sys.path_hooks give for a path in a blob: for pkgutil, and for mixed `__path__`s."""

    def __init__(self, blob, folder):
        self._blob, self._folder = blob, folder

    def find_spec(self, name, target=None):
        return self._blob.spec(self._folder, name)

    def invalidate_caches(self):
        pass

    def iter_modules(self, prefix=""):
        return self._blob.iter_modules(self._folder, prefix)


class _Loader(_LoaderBasics):
    """Loads one module. `exec_module` is that of CPython, so that tracebacks do not show it."""

    def __init__(self, blob, name, key, at, path):
        self.blob, self.name, self.path = blob, name, path
        self._key, self._at = key, at

    def _check(self, name):
        if name not in (None, self.name, "__main__"):
            raise ImportError("loader of {} cannot handle {}".format(self.name, name), name=name)

    def get_code(self, name):
        self._check(name)
        blob, at = self.blob, self._at
        pyc = blob._payload(self.name, blob._number(at + 16), blob._words[(at + 32) >> 2],
                            blob._index[at + 40:at + 48])
        code = marshal.loads(pyc[16:])
        _imp._fix_co_filename(code, self.path)
        return code

    def source(self):
        return self.blob._source(self._at, self.name)

    def get_source(self, name):
        self._check(name)
        source = self.source()
        return None if source is None else decode_source(source)

    def get_filename(self, name):
        self._check(name)
        return self.path

    def is_package(self, name):
        self._check(name)
        return self.blob._index[self._at + 12] == _PACKAGE

    def get_data(self, path):
        folder = self.blob.folder(path)
        data = None if folder is None else self.blob.read(folder)
        if data is None:
            raise FileNotFoundError(2, "not in {}".format(self.blob.name), path)
        return data

    def get_resource_reader(self, name):
        self._check(name)
        return _Reader(_Resource(self.blob, self._key.replace(".", "/"))) \
            if self.is_package(name) else None


class _NamespaceLoader(_Loader):
    """Of a package without code."""

    def exec_module(self, module):
        pass

    def get_code(self, name):
        return compile("", "<namespace>", "exec", dont_inherit=True)

    def source(self):
        return b""

    def get_filename(self, name):
        raise ImportError("{} is a namespace package".format(name), name=name)

    def is_package(self, name):
        return True

    def get_resource_reader(self, name):
        return _Reader(_Resource(self.blob, self.name.replace(".", "/")))


class _Reader:
    """importlib.resources: `files` from 3.10, the four functions before."""

    def __init__(self, folder):
        self._folder = folder

    def files(self):
        return self._folder

    def open_resource(self, resource):
        return self._folder.joinpath(resource).open("rb")

    def resource_path(self, resource):
        raise FileNotFoundError(2, "in no file of its own", str(self._folder.joinpath(resource)))

    def is_resource(self, path):
        return self._folder.joinpath(path).is_file()

    def contents(self):
        return iter(self._folder.blob.listdir(self._folder.at))


class _Resource:
    """A file or folder of a blob, as importlib.resources.abc.Traversable has it."""

    def __init__(self, blob, at):
        self.blob, self.at = blob, at

    @property
    def name(self):
        return self.at.rpartition("/")[2]

    def __str__(self):
        return "{}/{}".format(self.blob.name, self.at)

    def __repr__(self):
        return "{}({!r})".format(type(self).__name__, str(self))

    def __eq__(self, other):
        return isinstance(other, _Resource) and str(self) == str(other)

    def __hash__(self):
        return hash(str(self))

    def joinpath(self, *descendants):
        parts = [part for part in self.at.split("/") if part]
        for descendant in descendants:
            for part in str(descendant).replace("\\", "/").split("/"):
                if part == "..":
                    del parts[-1:]
                elif part not in ("", "."):
                    parts.append(part)
        return type(self)(self.blob, "/".join(parts))

    def __truediv__(self, descendant):
        return self.joinpath(descendant)

    def is_file(self):
        return self.blob.read(self.at) is not None

    def is_dir(self):
        return not self.at or bool(self.blob.listdir(self.at))

    def iterdir(self):
        return (self.joinpath(name) for name in sorted(self.blob.listdir(self.at)))

    def read_bytes(self):
        data = self.blob.read(self.at)
        if data is None:
            kind = IsADirectoryError if self.is_dir() else FileNotFoundError
            raise kind("{} is no file".format(self))
        return data

    def read_text(self, encoding=None, errors=None):
        with self.open("r", encoding=encoding, errors=errors) as file:
            return file.read()

    def open(self, mode="r", *args, **kwargs):
        import io
        if mode not in ("r", "rb"):
            raise ValueError("a blob can be read only, not opened with mode {!r}".format(mode))
        file = io.BytesIO(self.read_bytes())
        return file if mode == "rb" else io.TextIOWrapper(file, *args, **kwargs)


def install(blob, name="<blob>"):
    """Makes this interpreter import from a blob, given as a Blob, a path or bytes; before sys.path
    and after what is built in. Gives the Finder, which is then on sys.meta_path."""
    if not isinstance(blob, Blob):
        is_path = isinstance(blob, str) or hasattr(blob, "__fspath__")
        blob = Blob.open(blob, name=name) if is_path else Blob(blob, name)
    for finder in sys.meta_path:
        if isinstance(finder, Finder) and finder.blob.name == blob.name:
            if finder.blob is blob:
                return finder
            raise ValueError("a blob named {} is installed: name this one otherwise".format(
                blob.name))
    finder = Finder(blob)
    place = sys.meta_path.index(PathFinder) if PathFinder in sys.meta_path else len(sys.meta_path)
    sys.meta_path.insert(place, finder)
    sys.path_hooks.insert(0, finder.path_hook)
    for path in list(sys.path_importer_cache):
        if blob.folder(path) is not None:
            del sys.path_importer_cache[path]
    return finder


def run(blob, name):
    """Runs a module of a blob as `__main__`, as `python -m` does; of a package, its `__main__`.
    Not by runpy, whose imports cost more than the rest of a start."""
    finder = install(blob)
    path = None
    parent = name.rpartition(".")[0]
    if parent:
        __import__(parent)
        path = getattr(sys.modules[parent], "__path__", [])
    spec = finder.find_spec(name, path)
    if spec is None:
        raise BlobError("there is no module {} in {}".format(name, finder.blob.name), name=name)
    if spec.submodule_search_locations is not None:
        return run(finder.blob, name + ".__main__")
    code = spec.loader.get_code(name)
    main = sys.modules["__main__"] = type(sys)("__main__")
    main.__dict__.update(__file__=spec.origin, __loader__=spec.loader, __package__=spec.parent,
                         __spec__=spec, __builtins__=__builtins__)
    sys.argv[:1] = [spec.origin]
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = finder.excepthook
    exec(code, main.__dict__)
    return main


def _launch():
    """For `python -c`: sys.argv is the file, the blob's offset and length in it, the module, and
    what is left for the module."""
    path, offset, length, name = sys.argv[1:5]
    del sys.argv[1:5]
    run(Blob.open(path, int(offset), int(length)), name)
