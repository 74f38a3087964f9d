"""Compiles a folder, or its own standard library, in several ways and checks canonical bytes.

Frames on stdin and stdout: four bytes of length, little-endian, and as many bytes. First the magic
number; then for each file its path, its source hash, the number of variants and the variants (the
first as a fresh process would write it), answered by canonical bytes; then a verdict, empty if they
load as what was compiled. An empty path ends it.
"""
import ast, importlib.util, marshal, math, os, struct, sys, sysconfig, types, warnings

COUNT, ORDER, FOLDER = int(sys.argv[1]), sys.argv[2], sys.argv[3]
warnings.simplefilter("ignore")
sys.setrecursionlimit(20000)
READ, WRITE = sys.stdin.buffer, sys.stdout.buffer


def send(data):
    WRITE.write(struct.pack("<I", len(data)) + data)


def receive():
    (length,) = struct.unpack("<I", READ.read(4))
    return READ.read(length)


def sources():
    root = FOLDER or sysconfig.get_paths()["stdlib"]
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(f for f in folders if f not in ("site-packages", "__pycache__"))
        found += [os.path.join(folder, f) for f in sorted(files) if f.endswith(".py")]
    if COUNT and len(found) > COUNT:
        found = [found[i * len(found) // COUNT] for i in range(COUNT)]
    return root, found


ATTRIBUTES = [name for name in dir(types.CodeType) if name.startswith("co_")]
CALLED = ("co_positions", "co_lines", "co_branches")
# Deprecated, and made of what is compared anyway.
LEFT_OUT = ("co_consts", "co_lnotab") if sys.version_info >= (3, 10) else ("co_consts",)


def key(value):
    """Equal for values that are the same to the last bit, type by type."""
    kind = type(value)
    if kind is types.CodeType:
        parts = [key(value.co_consts)]
        for name in ATTRIBUTES:
            if name in CALLED:
                parts.append(tuple(getattr(value, name)()))
            elif name not in LEFT_OUT and not callable(getattr(value, name)):
                parts.append(getattr(value, name))
        return (kind, tuple(parts))
    if kind is tuple:
        return (kind, tuple(map(key, value)))
    if kind is frozenset:
        return (kind, frozenset(map(key, value)))
    if kind is slice:
        return (kind, key(value.start), key(value.stop), key(value.step))
    if kind is float:
        return (kind, struct.pack("<d", value))
    if kind is complex:
        return (kind, struct.pack("<dd", value.real, value.imag))
    return (kind, value)


def interned(value, found):
    """Whether each string in it is interned, in the order of the code objects."""
    kind = type(value)
    if kind is str:
        # The one place that tells, in all releases: how marshal writes it.
        found.append((value, marshal.dumps(value)[0] & 0x7F in b"ZAt"))
    elif kind is tuple:
        for element in value:
            interned(element, found)
    elif kind is types.CodeType:
        interned(value.co_names + value.co_varnames + value.co_freevars, found)
        if sys.version_info >= (3, 13):
            # Before, a code object interned neither; compilers left some interned, by chance.
            interned((value.co_name, value.co_qualname), found)
        interned(value.co_consts, found)
    return found


GIVEN = {"<module>", "<lambda>", "<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"}


def lost(raw, canonical):
    """Strings that are interned after loading what the interpreter wrote, and not after ours."""
    # A free-threaded build interns all constants when it compiles; what it loads, it does not
    # depend on (a build with the GIL has not interned them either).
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        return []
    pairs = zip(interned(canonical, []), interned(raw, []))
    names = set(ours[0] for ours, theirs in pairs if theirs[1] and not ours[1])
    # Identifiers outside ASCII that are constants only, the keyword names of a call: no
    # rule could tell them from other strings, and nothing but speed depends on it.
    names = set(name for name in names if name.isascii())
    # Up to 3.10 a constant too: what the compiler itself calls functions, interned by chance.
    return sorted(names - GIVEN if sys.version_info < (3, 11) else names)


def verdict(canonical, plain, code):
    loaded = marshal.loads(canonical)
    if key(loaded) != key(code):
        return "loads as something else"
    names = lost(marshal.loads(plain), loaded)
    return "loses interned strings: %r" % names[:5] if names else ""


def has_nan(value):
    kind = type(value)
    if kind is types.CodeType:
        return has_nan(value.co_consts)
    if kind in (tuple, frozenset):
        return any(map(has_nan, value))
    if kind is complex:
        return math.isnan(value.real) or math.isnan(value.imag)
    return kind is float and math.isnan(value)


def hold(code, kept):
    """Takes references to what a debugger would look at."""
    kept += [code.co_code, code.co_consts, code.co_names, code.co_varnames, code.co_name]
    kept += code.co_consts
    for const in code.co_consts:
        if type(const) is types.CodeType:
            hold(const, kept)


def build(source, path):
    return compile(source, path, "exec", dont_inherit=True)


def warm(source, path, kept):
    tree = ast.parse(source, path)
    code = compile(tree, path, "exec", dont_inherit=True)
    hold(code, kept)
    kept += [tree, code]
    return code


def variants(source, path, kept):
    plain = marshal.dumps(build(source, path))
    code = build(source, path)
    result = [plain, marshal.dumps(code)]
    if ORDER == "backward":
        return code, result
    result.append(marshal.dumps(warm(source, path, kept)))
    loaded = marshal.loads(plain)
    result += [marshal.dumps(loaded), marshal.dumps(marshal.loads(result[2]))]
    if not has_nan(code):
        for version in range(marshal.version):
            try:
                result.append(marshal.dumps(code, version))
            except ValueError:
                pass  # slices need version 5
    return code, result


def main():
    root, paths = sources()
    kept = [sys.intern(chr(i)) for i in range(256)] if ORDER == "forward" else []
    if ORDER == "backward":
        paths.reverse()
    send(importlib.util.MAGIC_NUMBER)
    for path in paths:
        with open(path, "rb") as file:
            source = file.read()
        name = os.path.relpath(path, root)
        try:
            code, dumped = variants(source, name, kept)
        except (SyntaxError, ValueError, RecursionError):
            continue
        send(name.encode())
        send(importlib.util.source_hash(source))
        send(source)
        send(struct.pack("<I", len(dumped)))
        for data in dumped:
            send(data)
        WRITE.flush()
        send(verdict(receive(), dumped[0], code).encode("utf-8", "replace"))
        if len(kept) > 500000:
            del kept[: len(kept) // 2]
    send(b"")
    WRITE.flush()


main()
