//! Finding and loading modules.

use expect_test::expect;

use crate::world::check;

#[test]
fn modules_and_their_specs() {
    check(
        r"
finder = bb.install(BLOB)
import importlib.util, app.main, app.sub.deep, top
print(finder in sys.meta_path, finder.blob.cache_tag == sys.implementation.cache_tag)
for name in ['app', 'app.main', 'app.sub', 'top']:
    spec, module = importlib.util.find_spec(name), sys.modules[name]
    print(spec.name, spec.origin, spec.submodule_search_locations, repr(spec.parent))
    assert module.__file__ == spec.origin and module.__spec__ is spec
    assert module.__loader__ is spec.loader and module.__package__ == spec.parent
    assert getattr(module, '__path__', None) == spec.submodule_search_locations
    assert spec.loader.get_filename(name) == spec.origin
    assert spec.loader.is_package(name) == hasattr(module, '__path__')
print(top.VALUE, app.main.Greeter().greet(), app.main.fail.__code__.co_filename)
print(importlib.util.find_spec('app.nothing'), importlib.util.find_spec('nothing'))
try:
    import app.nothing
except ModuleNotFoundError as error:
    print(error)
deep = app.sub.deep
deep.divide = None
print(importlib.reload(deep) is deep, deep.divide(4))
",
        expect![[r#"
            True True
            app <blob>/app/__init__.py ['<blob>/app'] 'app'
            app.main <blob>/app/main.py None 'app'
            app.sub <blob>/app/sub/__init__.py ['<blob>/app/sub'] 'app.sub'
            top <blob>/top.py None ''
            42 hello from app <blob>/app/main.py
            None None
            No module named 'app.nothing'
            True 0.25
        "#]],
    );
}

#[test]
fn namespace_packages() {
    check(
        r"
import os
bb.install(BLOB)
import importlib.util, spaces.inner.mod
print(spaces.__path__, hasattr(spaces, '__file__'), spaces.inner.__path__, spaces.inner.mod.WHERE)
spec = importlib.util.find_spec('spaces')
print(spec.origin, spec.submodule_search_locations, spec.loader.get_source('spaces') == '')

# One that is on the disk as well is one of both.
for name in list(sys.modules):
    if name.startswith('spaces'):
        del sys.modules[name]
os.makedirs('mixed/spaces/inner')
open('mixed/spaces/inner/disk.py', 'w').write('WHERE = __file__')
sys.path.insert(0, 'mixed')
import spaces.inner.mod, spaces.inner.disk
print([path.replace(os.getcwd() + '/', '') for path in spaces.inner.__path__])
print(spaces.inner.mod.WHERE, spaces.inner.disk.WHERE[-27:])

# A package with an `__init__` on the disk comes before a namespace.
for name in list(sys.modules):
    if name.startswith('spaces'):
        del sys.modules[name]
open('mixed/spaces/__init__.py', 'w').write('REAL = True')
importlib.invalidate_caches()
import spaces
print(spaces.REAL)
import shutil
shutil.rmtree('mixed')
",
        expect![[r#"
            ['<blob>/spaces'] False ['<blob>/spaces/inner'] <blob>/spaces/inner/mod.py
            None ['<blob>/spaces'] True
            ['<blob>/spaces/inner', 'mixed/spaces/inner']
            <blob>/spaces/inner/mod.py /mixed/spaces/inner/disk.py
            True
        "#]],
    );
}

#[test]
fn paths_of_packages_may_be_changed() {
    check(
        r"
import os
bb.install(BLOB)
import app
os.makedirs('plugins'); os.makedirs('override')
open('plugins/plugin.py', 'w').write('A = 1')
open('plugins/main.py', 'w').write('raise SystemExit(9)')
open('override/main.py', 'w').write('A = 3')
app.__path__.append('plugins')
import app.plugin, app.main
print(app.plugin.A, app.main.__file__)
del sys.modules['app.main']
app.__path__.insert(0, 'override')
import app.main, app.sub
print(app.main.A, app.sub.__file__)
app.__path__[:] = ['<blob>/app/sub']
import app.deep
print(app.deep.__file__)
import shutil
shutil.rmtree('plugins'); shutil.rmtree('override')
",
        expect![[r#"
            1 <blob>/app/main.py
            3 <blob>/app/sub/__init__.py
            <blob>/app/sub/deep.py
        "#]],
    );
}

#[test]
fn what_a_blob_may_be_given_as() {
    check(
        r"
import mmap, pathlib
data = open(BLOB, 'rb').read()
given = [data, bytearray(data), memoryview(data), pathlib.Path(BLOB), BLOB]
file = open(BLOB, 'rb')
given.append(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
for blob in given:
    finder = bb.install(blob)
    assert bb.install(finder.blob) is finder
    import top
    print(type(blob).__name__.replace('Posix', ''), top.VALUE)
    del sys.modules['top']
    sys.meta_path.remove(finder); sys.path_hooks.remove(finder.path_hook)

# In the middle of another file, as in an executable.
for before in [0, 1, 4095, 4096, 70000]:
    open('inside', 'wb').write(b'x' * before + data + b'after')
    blob = bb.Blob.open('inside', before, len(data))
    assert blob.spec('', 'top').loader.get_code('top').co_filename == '<blob>/top.py'
import os
os.unlink('inside')

first = bb.install(data, name='<one>')
second = bb.install(data, name='<two>')
print(sys.meta_path.index(first) < sys.meta_path.index(second))
import top
print(top.__file__, first.blob.folder('<two>/app'), second.blob.folder('<two>/app'))
try:
    bb.install(data, name='<one>')
except ValueError as error:
    print(error)
",
        expect![[r#"
            bytes 42
            bytearray 42
            memoryview 42
            Path 42
            str 42
            mmap 42
            True
            <one>/top.py None app
            a blob named <one> is installed: name this one otherwise
        "#]],
    );
}

#[test]
fn before_the_path_and_after_what_is_built_in() {
    check(
        r"
finder = bb.install(BLOB)
names = [getattr(finder, '__name__', type(finder).__name__) for finder in sys.meta_path]
print([name for name in names if name in ('BuiltinImporter', 'FrozenImporter', 'Finder', 'PathFinder')])
open('top.py', 'w').write('VALUE = 0')
sys.path.insert(0, '.')
import top
print(top.VALUE)
import os
os.unlink('top.py')
",
        expect![[r#"
            ['BuiltinImporter', 'FrozenImporter', 'Finder', 'PathFinder']
            42
        "#]],
    );
}

/// What a start imports is what it costs.
#[test]
fn importing_imports_nothing_else() {
    check(
        r"
data = open(BLOB, 'rb').read()
before = set(sys.modules)
bb.install(data)
import app.sub.deep
print(sorted(set(sys.modules) - before))
",
        expect![[r#"
            ['app', 'app.sub', 'app.sub.deep']
        "#]],
    );
}
