//! Records keep what extractions say, as values and as bytes.

use bytekiln_syntax::{Options, extract};
use proptest::prelude::*;

use super::{ModuleImports, Record};

const SOURCE: &str = "\
import os, a.b as c
lazy import later
__lazy_modules__ = ['z']
from ..up import *
if sys.version_info >= (3, 11):
    import tomllib
elif sys.platform in ('win32', 'cygwin'):
    from . import win
try:
    import importlib
    importlib.import_module('.x', package='pkg')
except ImportError:
    name = 'app.models.User'
__all__ = ['x']
__path__ = extend_path(__path__, __name__)
";

fn module(source: &[u8], names: bool) -> ModuleImports {
    ModuleImports::new(&extract(source, &Options { names, strings: Some(1) }))
}

fn record(module: &ModuleImports) -> Record {
    let mut record = Record::default();
    record.decode(&module.encode()).unwrap();
    record
}

#[test]
fn bytes_round_trip() {
    let module = module(SOURCE.as_bytes(), true);
    let record = record(&module);
    assert!(module.len() >= 8, "{record:?}");
    assert_eq!(module.names(), Some(&record));
    assert_eq!(record.bindings("os").len(), 1);
    assert_eq!(record.bindings("c").len(), 1);
    assert!(record.bindings("b").is_empty());
    assert!(record.extends_path);
    assert_eq!(module.lazy_statement(), Some(2));
    let bytes = module.encode();
    assert_eq!(ModuleImports::decode(&bytes).as_ref(), Ok(&module));
    for length in 0..bytes.len() {
        assert!(ModuleImports::decode(&bytes[..length]).is_err(), "{length}");
    }
}

#[test]
fn what_nobody_looked_for_may_be_there() {
    let module = module(SOURCE.as_bytes(), false);
    assert_eq!(module.names(), None);
    assert!(module.may_bind("anything"));
    // Read into the room of another.
    let mut room = record(&super::tests::module(b"import one\n__all__ = ['x']", true));
    let values = module.values(&mut room);
    assert_eq!(values, &record(&module));
    assert_eq!(values.text(values.imports[0].module), "os");
}

#[test]
fn ten_thousand_branches_stay_small() {
    let mut source = String::from("if sys.version_info >= (3, 1):\n    import a\n");
    for minor in 2..10_000 {
        source.push_str(&format!("elif sys.version_info >= (3, {minor}):\n    import a\n"));
    }
    let module = module(source.as_bytes(), true);
    assert_eq!(module.len(), 9_999);
    assert!(module.encode().len() < 10_000 * 400);
}

proptest! {
    #[test]
    fn any_bytes_decode_or_not(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut bytes = bytes;
        bytes.splice(0..0, *b"BKim\x03");
        let (mut first, mut again, mut written) = (Record::default(), Record::default(), Vec::new());
        if first.decode(&bytes).is_ok() {
            for import in &first.imports {
                let _ = first.text(import.module);
            }
            first.encode_into(&mut written);
            prop_assert_eq!(again.decode(&written), Ok(()));
            prop_assert_eq!(first, again);
        }
    }

    #[test]
    fn damage_does_not_panic(at in 0usize..400, bit in 0u8..8) {
        let mut bytes = module(SOURCE.as_bytes(), true).encode().into_owned();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        if let Ok(module) = ModuleImports::decode(&bytes) {
            let record = record(&module);
            let _ = record.bindings("os");
            let _ = record.lists_as_lazy("z");
        }
    }
}
