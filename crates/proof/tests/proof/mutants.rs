//! One constant of a real file changed, each in its turn: that one is found, and nothing else.

use bytekiln_proof::{CompareOptions, Comparison, PlaceKind, compare};
use bytekiln_test_support::pythons;

use crate::process::run;

/// Writes the `.pyc` of a module of the standard library, then one for each constant changed. Each
/// is preceded by a line: its length, where the constant is, the names of the code objects.
const MUTANTS: &str = r"
import importlib.util, marshal, sys
from types import CodeType
source = importlib.util.find_spec('textwrap').origin
with open(source, 'rb') as file:
    module = compile(file.read(), 'textwrap.py', 'exec', dont_inherit=True)
def emit(code, where, place):
    data = importlib.util.MAGIC_NUMBER + bytes(12) + marshal.dumps(code)
    head = '%d %s %s' % (len(data), '.'.join(map(str, where)) or '-', place)
    sys.stdout.buffer.write(head.encode() + b'\n' + data)
def other(value):
    if isinstance(value, (bool, type(None), type(...))):
        return 'mutant'
    if isinstance(value, int):
        return value + 100000
    if isinstance(value, float):
        return -value
    if isinstance(value, str):
        return value + '!'
    if isinstance(value, bytes):
        return value + b'!'
    if isinstance(value, frozenset):
        return value | {'mutant'}
def mutants(value):
    if isinstance(value, tuple) and value:
        for index, element in enumerate(value):
            for changed, place in mutants(element):
                yield value[:index] + (changed,) + value[index + 1:], '[%d]%s' % (index, place)
    elif other(value) is not None:
        yield other(value), ''
def walk(code, where, rebuild):
    consts = code.co_consts
    for index, value in enumerate(consts):
        def put(changed, index=index):
            return rebuild(code.replace(co_consts=consts[:index] + (changed,) + consts[index + 1:]))
        if isinstance(value, CodeType):
            walk(value, where + [index], put)
            continue
        for changed, place in mutants(value):
            emit(put(changed), where, 'co_consts[%d]%s' % (index, place))
def rebuilt(code):
    # From 3.14, replace() forgets how arguments are passed; here it does so everywhere.
    parts = [rebuilt(const) if isinstance(const, CodeType) else const for const in code.co_consts]
    return code.replace(co_consts=tuple(parts))
module = rebuilt(module)
emit(module, [], 'original')
walk(module, [], lambda code: code)
";

#[test]
fn one_changed_constant_is_found_and_nothing_else() {
    for python in pythons::all() {
        let output = run(python, MUTANTS, b"");
        let mut rest = output.as_slice();
        let mut original: Option<&[u8]> = None;
        let mut count = 0;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let head = std::str::from_utf8(&rest[..end]).expect("a line").to_owned();
            let mut words = head.split(' ');
            let length: usize = words.next().expect("a length").parse().expect("a number");
            let (path, place) = (words.next().expect("a path"), words.next().expect("a place"));
            let pyc = &rest[end + 1..][..length];
            rest = &rest[end + 1 + length..];
            let Some(original) = original else {
                original = Some(pyc);
                continue;
            };
            count += 1;
            let found = compare(original, pyc, &CompareOptions::default());
            let Ok(Comparison::Different(found)) = found else { panic!("{head}: {found:?}") };
            assert_eq!((found.total, found.code_objects), (1, 1), "{head}: {found:?}");
            assert_eq!(found.first.place, place, "{head}");
            assert_eq!(found.first.kind, PlaceKind::Constant, "{head}");
            assert_eq!(found.fields, ["co_consts"], "{head}");
            let indices: Vec<String> =
                found.first.code_path.iter().map(|[left, _]| left.to_string()).collect();
            let indices = if indices.is_empty() { "-".to_owned() } else { indices.join(".") };
            assert_eq!(indices, path, "{head}");
            assert_ne!(found.first.left, found.first.right, "{head}");
            assert!(!found.is_only_compiler_dependent());
        }
        assert!(count > 50, "{} has {count} constants", python.name());
    }
}
