//! The READMEs of `examples/` are true. `cargo xtask transcripts --update` rewrites them.

use std::fs;
use std::path::Path;

use bytekiln_test_support::{pythons, transcript};

use crate::sandbox::command_path;

#[test]
fn transcripts() {
    if pythons::find_or_skip(3, 11).is_none() {
        return;
    }
    let update = std::env::var_os("BYTEKILN_TRANSCRIPTS").is_some_and(|value| value == "update");
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("examples");
    // The mixed repository is read with cargo.
    let cargo = std::env::var_os("CARGO").map(std::path::PathBuf::from);
    let programs: Vec<_> = [Some(command_path().to_path_buf()), cargo]
        .into_iter()
        .flatten()
        .filter_map(|program| program.parent().map(Path::to_path_buf))
        .collect();
    let mut folders: Vec<_> =
        fs::read_dir(examples).unwrap().flatten().map(|entry| entry.path()).collect();
    folders.sort();
    let mut complaints = String::new();
    for folder in folders.iter().filter(|folder| folder.is_dir()) {
        let outcome = transcript::replay(folder, &programs).unwrap();
        assert!(outcome.commands > 0, "{} runs nothing", folder.display());
        if update {
            fs::write(folder.join("README.md"), &outcome.updated).unwrap();
        } else {
            for difference in &outcome.differences {
                complaints.push_str(&format!("{}/README.md\n{difference}\n", folder.display()));
            }
        }
    }
    assert!(complaints.is_empty(), "run `cargo xtask transcripts --update`\n{complaints}");
}
