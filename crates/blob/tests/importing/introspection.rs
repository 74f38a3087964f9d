//! Sources: inspect, tracebacks; and pkgutil, importlib.metadata.

use expect_test::expect;

use crate::world::check;

#[test]
fn inspect_shows_sources_where_they_are() {
    check(
        r"
bb.install(BLOB)
import inspect, app.main, app.sub.deep
print(inspect.getsource(app.main.fail), end='')
print(inspect.getsource(app.main.Greeter), end='')
print(inspect.getsource(app.sub.deep), end='')
print(inspect.getsourcefile(app.main.Greeter), inspect.getmodule(app.main.fail).__name__)
",
        expect![[r#"
            def fail():
                deep.divide(0)
            class Greeter:
                """Greets."""

                def greet(self):
                    return "hello from " + NAME
            # Größe
            def divide(number):
                return 1 / number
            <blob>/app/main.py app.main
        "#]],
    );
    check(
        r"
bb.install(ROOT + '/sourceless.blob')
import inspect, app.main, traceback
print(app.main.__loader__.get_source('app.main'))
for what in [app.main.fail, app.main.Greeter, app.main]:
    try:
        inspect.getsource(what)
    except OSError as error:
        print('no source')
try:
    app.main.fail()
except ZeroDivisionError:
    print(traceback.format_exc().replace(', in', ' in').splitlines()[-2].strip(' '))
",
        expect![[r#"
            None
            no source
            no source
            no source
            File "<blob>/app/sub/deep.py", line 3 in divide
        "#]],
    );
}

#[test]
fn tracebacks_have_lines() {
    check(
        r#"
bb.install(BLOB)
import traceback, app.main
try:
    app.main.fail()
except ZeroDivisionError:
    text = traceback.format_exc()
    lines = text[text.index('  File "<blob>'):].splitlines()
    print('\n'.join(line for line in lines if not set(line) <= set(' ~^')))
import os
os.makedirs('app/sub'); open('app/sub/deep.py', 'w').write('\n\nANOTHER FILE\n')
import linecache
linecache.clearcache()
print(repr(linecache.getline('<blob>/app/sub/deep.py', 3, vars(app.sub.deep))))
import shutil
shutil.rmtree('app')
"#,
        expect![[r#"
              File "<blob>/app/main.py", line 15, in fail
                deep.divide(0)
              File "<blob>/app/sub/deep.py", line 3, in divide
                return 1 / number
            ZeroDivisionError: division by zero
            '    return 1 / number\n'
        "#]],
    );
}

#[test]
fn pkgutil_walks_and_reads() {
    check(
        r"
bb.install(BLOB)
import pkgutil, app, spaces.inner
show = lambda found: [(module.name, module.ispkg) for module in found]
print(show(pkgutil.iter_modules(app.__path__, 'app.')))
print(show(pkgutil.walk_packages(app.__path__, 'app.')))
print(show(pkgutil.iter_modules(spaces.inner.__path__)))
print([name for name, _ in show(pkgutil.iter_modules()) if name in ('app', 'top', 'spaces')])
print(pkgutil.get_data('app', 'words.txt'), pkgutil.get_data('app', 'texts/one.txt'))
print(app.__loader__.get_data('<blob>/app/main.py')[:10])
for path in ['<blob>/app/nothing.txt', '<blob>/app', '/etc/passwd']:
    try:
        app.__loader__.get_data(path)
    except OSError as error:
        print(error)
",
        expect![[r#"
            [('app.__main__', False), ('app.main', False), ('app.sub', True)]
            [('app.__main__', False), ('app.main', False), ('app.sub', True), ('app.sub.deep', False)]
            [('mod', False)]
            ['app', 'top']
            b'kiln\n' b'eins\n'
            b'import sys'
            [Errno 2] not in <blob>: '<blob>/app/nothing.txt'
            [Errno 2] not in <blob>: '<blob>/app'
            [Errno 2] not in <blob>: '/etc/passwd'
        "#]],
    );
}

#[test]
fn metadata_of_distributions() {
    check(
        r"
bb.install(BLOB)
from importlib import metadata
print(metadata.version('app'), metadata.metadata('app')['Name'])
print([d.metadata['Name'] for d in metadata.distributions() if d.metadata['Name'] == 'app'])
try:
    metadata.version('nothing')
except metadata.PackageNotFoundError:
    print('not found')
",
        expect![[r#"
            1.2 app
            ['app']
            not found
        "#]],
    );
}
