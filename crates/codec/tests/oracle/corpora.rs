//! The same on code that others wrote: packages in `corpora` of the checkout, such as django and
//! sympy (not part of the repository).

use std::path::Path;

use bytekiln_python::Release;

use crate::{check_folder, interpreters, is_full};

/// Files that are compiled by default.
const FILES: usize = 100;
/// Files of each release but the one that gets all, with `BYTEKILN_FULL=1`.
const FILES_OF_EACH: usize = 600;
/// The release that gets all.
const WHOLE: u8 = 11;

#[test]
fn packages() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpora/small");
    let Ok(folder) = folder.canonicalize() else {
        println!("skipped: no packages in corpora/small");
        return;
    };
    let mut releases = 0;
    for minor in if is_full() { vec![8, 10, 11, 12, 13, 14, 15] } else { vec![8, 11, 15] } {
        let Some(interpreter) = interpreters::find(minor).into_iter().next() else {
            println!("skipped: no interpreter of Python 3.{minor} was found");
            continue;
        };
        let files = match (is_full(), minor) {
            (true, WHOLE) => 0,
            (true, _) => FILES_OF_EACH,
            (false, _) => FILES,
        };
        let release = Release::from_minor(minor).expect("a known release");
        check_folder(&interpreter, release, files, Some(&folder));
        releases += 1;
    }
    println!("{releases} releases");
}
