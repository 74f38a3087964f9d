"""Measures the start of a program from a plain tree, from zips and from a blob, in one run.

    python startup.py FOLDER MAKE_BLOB STATEMENT [ROUNDS]

FOLDER holds packages as site-packages do, MAKE_BLOB is the example of that name (`cargo build
--release -p bytekiln-blob --example make_blob`), STATEMENT is what the program does, such as
`import sympy`. Everything is made in a temporary folder. Prints medians of processor time (user and
system) and of wall-clock time over ROUNDS, in each of which every way starts once.
"""
import compileall
import os
import pathlib
import py_compile
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile

FINDER = pathlib.Path(__file__).parent.parent / "finder" / "bytekiln_blob.py"
MODE = py_compile.PycInvalidationMode.UNCHECKED_HASH
PATH = "import sys; sys.path.insert(0, {!r}); import _program"
BLOB = """
import marshal, sys
with open({finder!r}, 'rb') as file:
    code = marshal.loads(file.read()[16:])
finder = type(sys)('bytekiln_blob')
exec(code, finder.__dict__)
finder.install({opened})
import _program
"""
CHECK = "        if _imp.source_hash(_DIGEST_KEY, payload) != digest:"


def compile_finder(folder, name, text):
    source = folder / (name + ".py")
    source.write_text(text)
    return py_compile.compile(str(source), str(folder / (name + ".pyc")), doraise=True,
                              invalidation_mode=MODE)


def prepare(folder, site, make_blob, statement):
    tree = folder / "tree"
    shutil.copytree(site, tree, ignore=shutil.ignore_patterns("__pycache__"))
    (tree / "_program.py").write_text(statement + "\n")
    compileall.compile_dir(str(tree), quiet=2, invalidation_mode=MODE, workers=0)
    for name, method in [("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED)]:
        with zipfile.ZipFile(folder / (name + ".zip"), "w", method) as archive:
            for path in sorted(tree.rglob("*.pyc")):
                below = path.relative_to(tree)
                stem = below.name.partition(".")[0]
                archive.write(path, str(below.parent.parent / (stem + ".pyc")))
    blob = str(folder / "program.blob")
    subprocess.run([make_blob, str(tree), blob], check=True)
    text = FINDER.read_text()
    checked = compile_finder(folder, "checked", text)
    assert CHECK in text
    unchecked = compile_finder(folder, "unchecked", text.replace(CHECK, "        if False:"))
    whole = "finder.Blob(open({!r}, 'rb').read())".format(blob)
    return {
        "nothing": "pass",
        "tree": PATH.format(str(tree)),
        "zip, stored": PATH.format(str(folder / "stored.zip")),
        "zip, deflated": PATH.format(str(folder / "deflated.zip")),
        "blob, mapped": BLOB.format(finder=checked, opened=repr(blob)),
        "blob, mapped, digests unchecked": BLOB.format(finder=unchecked, opened=repr(blob)),
        "blob, read whole": BLOB.format(finder=checked, opened=whole),
    }


def start(program):
    before = time.perf_counter()
    child = subprocess.Popen([sys.executable, "-I", "-S", "-c", program])
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = status
    if status:
        raise SystemExit("the program failed")
    return usage.ru_utime + usage.ru_stime, time.perf_counter() - before


def main():
    site, make_blob, statement = sys.argv[1:4]
    rounds = int(sys.argv[4]) if len(sys.argv) > 4 else 21
    with tempfile.TemporaryDirectory() as folder:
        programs = prepare(pathlib.Path(folder), site, make_blob, statement)
        times = {name: [] for name in programs}
        for _ in range(rounds + 1):
            for name, program in programs.items():
                times[name].append(start(program))
    print("CPython {}.{}.{}: {}".format(*sys.version_info[:3], statement))
    print("{:34} {:>14} {:>14}".format("", "processor", "wall clock"))
    for name, taken in times.items():
        processor, wall = (statistics.median(each) for each in zip(*taken[1:]))
        print("{:34} {:11.1f} ms {:11.1f} ms".format(name, processor * 1e3, wall * 1e3))


if __name__ == "__main__":
    main()
