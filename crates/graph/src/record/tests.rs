//! Records keep what extractions say, as values and as bytes.

use bytekiln_syntax::{Options, extract};
use proptest::prelude::*;

use super::ModuleImports;

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

fn record(source: &[u8]) -> ModuleImports {
    ModuleImports::new(&extract(source, &Options { names: true, strings: Some(1) }))
}

#[test]
fn bytes_round_trip() {
    let record = record(SOURCE.as_bytes());
    assert!(record.len() >= 8, "{record:?}");
    assert_eq!(record.bindings("os").len(), 1);
    assert_eq!(record.bindings("c").len(), 1);
    assert!(record.bindings("b").is_empty());
    assert!(record.extends_path);
    assert_eq!(record.lazy_statement(), Some(2));
    let bytes = record.encode();
    assert_eq!(ModuleImports::decode(&bytes), Ok(record));
    for length in 0..bytes.len() {
        assert!(ModuleImports::decode(&bytes[..length]).is_err(), "{length}");
    }
}

#[test]
fn ten_thousand_branches_stay_small() {
    let mut source = String::from("if sys.version_info >= (3, 1):\n    import a\n");
    for minor in 2..10_000 {
        source.push_str(&format!("elif sys.version_info >= (3, {minor}):\n    import a\n"));
    }
    let record = record(source.as_bytes());
    assert_eq!(record.len(), 9_999);
    assert!(record.encode().len() < 10_000 * 400);
}

proptest! {
    #[test]
    fn any_bytes_decode_or_not(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut bytes = bytes;
        bytes.splice(0..0, *b"BKim\x02");
        if let Ok(record) = ModuleImports::decode(&bytes) {
            for import in &record.imports {
                let _ = record.text(import.module);
            }
            prop_assert_eq!(ModuleImports::decode(&record.encode()), Ok(record));
        }
    }

    #[test]
    fn damage_does_not_panic(at in 0usize..400, bit in 0u8..8) {
        let mut bytes = record(SOURCE.as_bytes()).encode();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        if let Ok(record) = ModuleImports::decode(&bytes) {
            let _ = record.bindings("os");
            let _ = record.lists_as_lazy("z");
        }
    }
}
