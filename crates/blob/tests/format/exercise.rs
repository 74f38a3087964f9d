//! What must hold of any bytes at all. The body of the fuzz target, which includes this file, and
//! of the tests of hostile bytes.

use bytekiln_blob::{Blob, BlobError, bootstrap};

/// Reads bytes as a blob. Whether they are one is of no interest; if they are, all of it can be
/// asked for and agrees with itself. True if they are.
pub(crate) fn bytes(bytes: &[u8]) -> bool {
    let Ok(blob) = Blob::parse(bytes) else { return false };
    let within = |part: &[u8]| {
        part.is_empty() || bytes.as_ptr_range().contains(&part.as_ptr()) && part.len() < bytes.len()
    };
    let mut whole = true;
    let mut last = "";
    for module in blob.modules() {
        assert!(last < module.name(), "out of order");
        last = module.name();
        let found = blob.find(module.name()).expect("what is listed is found");
        assert_eq!(found.code_offset(), module.code_offset());
        match (module.pyc(), module.code()) {
            (Ok(pyc), Ok(code)) => assert!(pyc.ends_with(code) && within(pyc)),
            (Err(BlobError::Damaged(_)), Err(BlobError::Damaged(_))) => whole = false,
            other => panic!("{other:?}"),
        }
        match module.source() {
            Ok(source) => assert!(within(source.unwrap_or_default())),
            Err(_) => whole = false,
        }
        let _ = module.origin();
        let children: Vec<&str> = blob.children(module.name()).map(|child| child.name()).collect();
        let prefix = format!("{}.", module.name());
        let all = blob.modules().map(|module| module.name());
        let direct =
            all.filter(|name| name.strip_prefix(&prefix).is_some_and(|below| !below.contains('.')));
        assert_eq!(children, direct.collect::<Vec<_>>());
    }
    let mut last = "";
    for data in blob.data_below("") {
        assert!(last < data.path(), "out of order");
        last = data.path();
        assert!(blob.data(data.path()).is_some(), "what is listed is found");
        match data.bytes() {
            Ok(bytes) => assert!(within(bytes) && bytes.len() == data.length()),
            Err(_) => whole = false,
        }
        let folder = data.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        assert!(blob.data_below(folder).any(|other| other.path() == data.path()));
    }
    assert_eq!(blob.verify().is_ok(), whole);
    for absent in ["", ".", "a//b", "../a", "\0"] {
        assert!(blob.find(absent).is_none() && blob.data(absent).is_none());
        let _ = (blob.children(absent).count(), blob.data_below(absent).count());
    }
    let _ = bootstrap(&blob);
    true
}
