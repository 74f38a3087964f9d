//! Data files of packages, as each release's importlib.resources asks for them.

use expect_test::expect;

use crate::world::check_with;

#[test]
fn files_are_a_tree() {
    check_with(
        10..=99,
        r"
bb.install(BLOB)
from importlib import resources
import app, spaces.inner
root = resources.files('app')
print(sorted(child.name for child in root.iterdir()))
print((root / 'words.txt').read_text(), root.joinpath('texts', 'one.txt').read_bytes())
print(root.joinpath('texts/one.txt').name, root / 'texts' / 'one.txt', repr(root))
print([child.name for child in (root / 'texts').iterdir()], (root / 'texts').is_dir())
print(root.is_dir(), root.is_file(), (root / 'words.txt').is_file(), (root / 'no').is_file())
print((root / 'texts' / '..' / 'words.txt').open('rb').read())
print((root / 'main.py').open(encoding='utf-8').readline())
with resources.as_file(root / 'words.txt') as path:
    print(path.read_text(), path.name.endswith('words.txt'))
print(resources.files('spaces.inner').joinpath('note.txt').read_text())
print(resources.files(app.sub if hasattr(app, 'sub') else 'app.sub').is_dir())
for path, mode in [('no', 'r'), ('texts', 'rb'), ('words.txt', 'w')]:
    try:
        (root / path).open(mode)
    except (OSError, ValueError) as error:
        print(type(error).__name__, error)
",
        expect![[r#"
            ['__init__.py', '__main__.py', 'main.py', 'sub', 'texts', 'words.txt']
            kiln
             b'eins\n'
            one.txt <blob>/app/texts/one.txt _Resource('<blob>/app')
            ['one.txt'] True
            True False True False
            b'kiln\n'
            import sys

            kiln
             True
            a note

            True
            FileNotFoundError <blob>/app/no is no file
            IsADirectoryError <blob>/app/texts is no file
            ValueError a blob can be read only, not opened with mode 'w'
        "#]],
    );
}

#[test]
fn the_older_functions() {
    check_with(
        8..=12,
        r"
import warnings
warnings.simplefilter('ignore')
bb.install(BLOB)
from importlib import resources
print(resources.read_text('app', 'words.txt'), resources.read_binary('app', 'words.txt'))
print(resources.is_resource('app', 'words.txt'), resources.is_resource('app', 'texts'))
print('words.txt' in resources.contents('app'), 'texts' in list(resources.contents('app')))
with resources.path('app', 'words.txt') as path:
    print(path.read_text())
try:
    resources.read_text('app', 'no.txt')
except FileNotFoundError:
    print('not found')
",
        expect![[r#"
            kiln
             b'kiln\n'
            True False
            True True
            kiln

            not found
        "#]],
    );
}

/// `files` of 3.9 looks at disks and zips only, whatever a loader offers (`docs/blob.md`).
#[test]
fn files_of_3_9_know_disks_and_zips_only() {
    check_with(
        9..=9,
        r"
bb.install(BLOB)
from importlib import resources
print(type(resources.files('app')).__name__, resources.files('app').is_dir())
",
        expect![[r#"
            PosixPath False
        "#]],
    );
}
