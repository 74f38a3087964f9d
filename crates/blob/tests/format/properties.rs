//! Any entries that make a blob come back from it, whatever their order.

use std::collections::{BTreeMap, BTreeSet};

use bytekiln_blob::{Blob, Entry, ModuleKind, write};
use proptest::prelude::*;

use crate::exercise;
use crate::golden::{PYC, TARGET};
use crate::seal::seal;

type Modules = BTreeMap<String, (Vec<u8>, Option<Vec<u8>>, Option<String>)>;
type Files = BTreeMap<String, Vec<u8>>;

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..40)
}

fn modules() -> impl Strategy<Value = Modules> {
    // Few letters, some of which sort on either side of the dot.
    let name = "[a-b_\\-ö]{1,2}(\\.[a-b_\\-ö]{1,2}){0,3}";
    let origin = prop::option::of("[a-c]{1,3}/[a-c]{1,3}\\.py");
    prop::collection::btree_map(name, (bytes(), prop::option::of(bytes()), origin), 0..20)
}

fn files() -> impl Strategy<Value = Files> {
    prop::collection::btree_map("[a-b.\\-ö]{3,4}(/[a-b.\\-ö]{3,4}){0,2}", bytes(), 0..12).prop_map(
        |mut files: Files| {
            files.retain(|path, _| !path.split('/').any(|part| part == "..."));
            let paths: BTreeSet<String> = files.keys().cloned().collect();
            files.retain(|path, _| {
                !path.match_indices('/').any(|(end, _)| paths.contains(&path[..end]))
            });
            files
        },
    )
}

proptest! {
    #[test]
    fn round_trip(modules in modules(), files in files(), seed in any::<u64>()) {
        let pycs: Vec<Vec<u8>> = modules
            .values()
            .map(|(payload, _, _)| [&PYC[..16], payload].concat())
            .collect();
        let is_package = |name: &str| {
            modules.keys().any(|other| other.starts_with(&format!("{name}.")))
        };
        let mut entries = Vec::new();
        for ((name, (_, source, origin)), pyc) in modules.iter().zip(&pycs) {
            let package = is_package(name);
            entries.push(Entry::Module { name, package, pyc, origin: origin.as_deref() });
            entries.extend(source.as_deref().map(|text| Entry::Source { name, text }));
        }
        entries.extend(files.iter().map(|(path, bytes)| Entry::Data { path, bytes }));
        let blob_bytes = write(&entries, &TARGET).unwrap();

        let mut state = seed;
        entries.sort_by_cached_key(|entry| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(entry.order().1.len() as u64);
            state >> 32
        });
        prop_assert_eq!(&write(&entries, &TARGET).unwrap(), &blob_bytes);

        prop_assert!(exercise::bytes(&blob_bytes));
        let blob = Blob::parse(&blob_bytes).unwrap();
        blob.verify().unwrap();
        let mut expected: BTreeSet<&str> = modules.keys().map(String::as_str).collect();
        for name in modules.keys() {
            expected.extend(name.match_indices('.').map(|(end, _)| &name[..end]));
        }
        let found: BTreeSet<&str> = blob.modules().map(|module| module.name()).collect();
        prop_assert_eq!(&found, &expected);
        for module in blob.modules() {
            let Some((payload, source, origin)) = modules.get(module.name()) else {
                prop_assert_eq!(module.kind(), ModuleKind::Namespace);
                continue;
            };
            prop_assert_eq!(module.is_package(), is_package(module.name()));
            prop_assert_eq!(module.code().unwrap(), payload);
            prop_assert_eq!(module.source().unwrap(), source.as_deref());
            if let Some(origin) = origin {
                prop_assert_eq!(module.origin().unwrap(), origin.as_str());
            }
        }
        let found: Files = blob
            .data_below("")
            .map(|data| (data.path().to_owned(), data.bytes().unwrap().to_vec()))
            .collect();
        prop_assert_eq!(found, files);
    }

    #[test]
    fn changed_bytes_never_panic(
        modules in modules(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let pyc = PYC;
        let entries: Vec<Entry<'_>> = modules
            .keys()
            .map(|name| Entry::Module { name, package: true, pyc, origin: None })
            .collect();
        let mut bytes = write(&entries, &TARGET).unwrap();
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        exercise::bytes(&bytes);
        seal(&mut bytes);
        exercise::bytes(&bytes);
    }
}
