"""Makes caches of modules by many routes, in this interpreter and in others that it starts.

`routes.py SOURCES RESULTS`: every module of the folder SOURCES is compiled; what comes of it is
RESULTS/MODULE/ROUTE.pyc.
"""
import ast, importlib.util, marshal, math, os, py_compile, subprocess, sys, threading, types, warnings

warnings.simplefilter("ignore")
SOURCES, RESULTS = sys.argv[1:]
MODULES = sorted(name[:-3] for name in os.listdir(SOURCES) if name.endswith(".py"))
# Only the magic number of it is looked at.
HEADER = importlib.util.MAGIC_NUMBER + bytes(12)


def path_of(module):
    return os.path.join(SOURCES, module + ".py")


def put(module, route, payload, header=HEADER):
    folder = os.path.join(RESULTS, module)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, route + ".pyc"), "wb") as file:
        file.write(header + payload)


def build(source, path):
    return compile(source, path, "exec", dont_inherit=True)


def inside(value):
    """The value and all in it."""
    yield value
    if type(value) is types.CodeType:
        for name in ("co_consts", "co_names", "co_varnames", "co_name", "co_qualname"):
            for part in inside(getattr(value, name, ())):
                yield part
    elif type(value) in (tuple, frozenset):
        for element in value:
            for part in inside(element):
                yield part


def has_nan(code):
    return any(type(part) is float and math.isnan(part) for part in inside(code))


def executed(code, times):
    for _ in range(times):
        try:
            exec(code, {"__name__": "executed", "__builtins__": __builtins__})
        except Exception:
            pass


def in_process(module):
    path = path_of(module)
    with open(path, "rb") as file:
        source = file.read()
    put(module, "direct", marshal.dumps(build(source, path)))
    code = build(source, path)
    put(module, "held", marshal.dumps(code))
    again = build(source, path)
    put(module, "compiled-twice", marshal.dumps(again))
    tree = ast.parse(source, path)
    put(module, "tree-kept", marshal.dumps(build(tree, path)))
    fields = [part for part in inside(build(tree, path))]
    del tree
    put(module, "tree-freed", marshal.dumps(build(ast.parse(source, path), path)))
    debugged = fields[0]
    looked_at = [part.co_code for part in fields if type(part) is types.CodeType]
    put(module, "looked-at", marshal.dumps(debugged))
    executed(again, 300 if len(source) < 3000 else 2)
    put(module, "executed", marshal.dumps(again))
    loaded = marshal.loads(marshal.dumps(code))
    put(module, "round-trip", marshal.dumps(loaded))
    put(module, "round-trip-direct", marshal.dumps(marshal.loads(marshal.dumps(code))))
    kept = [sys.intern(part + "") for part in inside(code) if type(part) is str]
    kept += [sys.intern(chr(number)) for number in range(256)]
    put(module, "interned-before", marshal.dumps(build(source, path)))
    renamed = code.replace(co_name=code.co_name)
    put(module, "replaced", marshal.dumps(renamed))
    for version in range(marshal.version):
        if version < 3 and has_nan(code):
            continue  # without references, NaNs lose their identity
        try:
            put(module, "marshal-%d" % version, marshal.dumps(code, version))
        except ValueError:
            pass  # slices need version 5
    for mode in py_compile.PycInvalidationMode:
        target = os.path.join(RESULTS, module, "py_compile-%s.pyc" % mode.name.lower())
        py_compile.compile(path, cfile=target, doraise=True, invalidation_mode=mode)
    del looked_at, kept


def in_threads():
    made = {}

    def work(number):
        for module in MODULES:
            with open(path_of(module), "rb") as file:
                made[module, number] = build(file.read(), path_of(module))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for (module, number), code in sorted(made.items()):
        put(module, "thread-%d" % number, marshal.dumps(code))


IMPORT = """
import importlib, sys, warnings
warnings.simplefilter("ignore")
sys.path.insert(0, sys.argv[1])
for name in sys.argv[2:]:
    try:
        importlib.import_module(name)
    except Exception:
        pass  # its cache was written before
"""


def by_command(route, arguments, options=(), environment=(), folder=None):
    """Runs the interpreter; what it writes below its cache prefix are the results."""
    prefix = os.path.join(RESULTS, "." + route)
    variables = dict(os.environ, PYTHONPYCACHEPREFIX=prefix)
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED", "SOURCE_DATE_EPOCH"):
        variables.pop(name, None)
    variables.update(environment)
    command = [sys.executable] + list(options) + arguments
    null = subprocess.DEVNULL
    subprocess.run(command, env=variables, cwd=folder, stdout=null, stderr=null, stdin=null)
    for base, _, files in os.walk(prefix):
        for name in files:
            module = name.split(".")[0]
            if module in MODULES:
                with open(os.path.join(base, name), "rb") as file:
                    put(module, route, file.read(), b"")


def main():
    for module in MODULES:
        in_process(module)
    in_threads()
    imported = ["-c", IMPORT, SOURCES] + MODULES
    by_command("import", imported)
    by_command("import-backward", imported[:3] + MODULES[::-1])
    by_command("import-seed", imported, environment={"PYTHONHASHSEED": "7"})
    by_command("import-utf8-dev", imported, ["-X", "utf8", "-X", "dev"])
    by_command("import-malloc", imported, environment={"PYTHONMALLOC": "debug"})
    by_command("import-traced", imported, ["-X", "tracemalloc", "-X", "importtime"])
    whole = ["-m", "compileall", "-q", "-f"]
    by_command("compileall-1", whole + ["-j1", SOURCES])
    by_command("compileall-2", whole + ["-j2", SOURCES])
    by_command("compileall-relative", whole + ["."], folder=SOURCES)
    by_command("compileall-locale", whole + ["-j2", SOURCES], environment={"LC_ALL": "C"})
    epoch = {"SOURCE_DATE_EPOCH": "315532800"}
    by_command("compileall-epoch", whole + [SOURCES], environment=epoch)
    by_command("py_compile", ["-m", "py_compile"] + list(map(path_of, MODULES)))


main()
