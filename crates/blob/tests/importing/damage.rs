//! Blobs that are damaged, or for another interpreter: said plainly, and nothing is unmarshalled.

use expect_test::expect;

use crate::world::{all, check};

#[test]
fn a_damaged_entry_is_not_unmarshalled() {
    check(
        r"
import importlib
data = open(BLOB, 'rb').read()
blob = bb.Blob(data)
at = blob._module('app.sub.deep')
start, length = blob._number(at + 16), blob._words[(at + 32) // 4]
class Trap:
    @staticmethod
    def loads(code):
        raise SystemExit('unmarshalled')
bb.marshal = Trap
for position in range(start, start + length):
    damaged = bytearray(data)
    damaged[position] ^= 1
    try:
        bb.Blob(damaged).spec('app/sub', 'deep').loader.get_code('deep')
    except bb.BlobError as error:
        message = str(error)
print(message)
import marshal
bb.marshal = marshal
bb.install(bytes(damaged))
import app
try:
    import app.main
except ImportError as error:
    print(type(error).__name__, error.name)

for path in ['app/words.txt', 'app/main.py']:
    damaged = data.replace(b'kiln\n', b'limb\n').replace(b'Greets', b'Waters')
    try:
        bb.Blob(damaged).read(path)
    except bb.BlobError as error:
        print(error)
",
        expect![[r#"
            deep in <blob> is damaged: its digest does not match
            BlobError app.sub.deep
            app/words.txt in <blob> is damaged: its digest does not match
            main in <blob> is damaged: its digest does not match
        "#]],
    );
}

#[test]
fn a_damaged_index_is_not_searched() {
    check(
        r"
import collections
data = open(BLOB, 'rb').read()
index = int.from_bytes(data[-32:-24], 'little')
said = collections.Counter()
def given(data):
    try:
        bb.Blob(data)
    except bb.BlobError as error:
        said[str(error).partition(' (magic')[0].replace(sys.implementation.cache_tag, 'TAG')] += 1
    else:
        said['accepted'] += 1
for position in range(index, len(data)):
    for bit in range(8):
        given(data[:position] + bytes([data[position] ^ 1 << bit]) + data[position + 1:])
print(sum(said.values()) == 8 * (len(data) - index), 'accepted' in said)
assert set(said) <= {'the index of <blob> is damaged: its digest does not match',
    '<blob> is cut off or has bytes after it', '<blob> holds bytecode of TAG'}, said
said.clear()
for length in range(len(data)):
    given(data[:length])
given(data + b'\0'); given(b'no'); given(data[:8] + b'\2' + data[9:])
for message in sorted(said):
    print(message, said[message] > 0)
open('empty', 'wb').close()
try:
    bb.Blob.open('empty')
except bb.BlobError as error:
    print(error)
",
        expect![[r#"
            True False
            <blob> is a blob of version 2, this finder reads version 1: take the one of the release that packed it True
            <blob> is cut off True
            <blob> is cut off or has bytes after it True
            <blob> is no blob of Bytekiln True
            empty is no blob of Bytekiln
        "#]],
    );
}

/// With a digest that fits, which only a wilful writer makes: an exception, whatever it is.
#[test]
fn a_malformed_index_is_an_exception() {
    check(
        r"
import importlib.util
data = open(BLOB, 'rb').read()
index = int.from_bytes(data[-32:-24], 'little')
outcomes = set()
for position in range(index, len(data) - 24):
    for value in (0, 0x2f, 0xff):
        changed = bytearray(data)
        changed[position] = value
        covered = changed[int.from_bytes(changed[-32:-24], 'little'):-8]
        changed[-8:] = importlib.util.source_hash(bytes(covered))
        try:
            blob = bb.Blob(changed)
            for name in ['app', 'top', 'spaces', 'nothing']:
                spec = blob.spec('', name)
                spec and spec.loader and spec.loader.get_code(name)
            list(blob.iter_modules('app')), blob.listdir('app'), blob.read('app/words.txt')
            outcomes.add('read')
        except (ImportError, ValueError, LookupError) as error:
            outcomes.add('refused')
print(sorted(outcomes))
",
        expect![[r#"
            ['read', 'refused']
        "#]],
    );
}

#[test]
fn a_blob_for_another_release_says_so() {
    let worlds = all();
    for (world, other) in worlds.iter().zip(worlds.iter().skip(1)) {
        let blob = other.path("program.blob");
        let output = world.script(&format!("bb.install({:?})", blob.to_str().unwrap()));
        let errors = String::from_utf8(output.stderr).unwrap();
        let last = errors.lines().last().unwrap_or_default();
        let tag = other.python.name().replace('.', "");
        let starts =
            format!("bytekiln_blob.BlobError: <blob> holds bytecode of cpython-{tag} (magic");
        let name = world.python.name();
        assert!(last.starts_with(&starts), "{errors}");
        assert!(last.contains(&format!("but this is CPython {name}.")), "{errors}");
        assert!(last.ends_with("run it with the former, or pack it for the latter"), "{errors}");
    }
}
