//! The table of the standard library against interpreters.

use std::collections::BTreeSet;

use bytekiln_python::Release;
use bytekiln_test_support::pythons;

use crate::standard_modules;

#[test]
#[expect(clippy::disallowed_types, reason = "asks interpreters")]
fn every_public_module_is_known() {
    const QUESTION: &str = "import sys; print(*sorted(sys.stdlib_module_names))";
    for minor in 10..=15 {
        let Some(python) = pythons::find_or_skip(3, minor) else { continue };
        let output = std::process::Command::new(&python.path)
            .args(["-I", "-S", "-c", QUESTION])
            .output()
            .unwrap();
        let names = String::from_utf8(output.stdout).unwrap();
        let release = Release::from_minor(minor).unwrap();
        let known: BTreeSet<&str> = standard_modules(release).collect();
        let public = names.split_whitespace().filter(|name| !name.starts_with('_'));
        let missing: Vec<&str> = public.filter(|name| !known.contains(name)).collect();
        assert_eq!(missing, [""; 0], "3.{minor}");
    }
}

#[test]
fn the_table_is_in_order() {
    for release in Release::all() {
        let names: Vec<&str> = standard_modules(release).collect();
        assert!(names.is_sorted_by(|a, b| a < b));
        assert!(names.len() > 500);
    }
}
