//! Each rule with an example that passes and one that fails, and the repository itself.

use super::findings;
use super::model::{Dependency, Package, Repository, TextFile};

const MANIFEST: &str = "[package]\nname = \"bytekiln-codec\"\n\n[lints]\nworkspace = true\n\n[dependencies]\nbytekiln-python.workspace = true\n";
const PURE_ROOT: &str =
    "//! Codec.\n#![deny(clippy::disallowed_methods, clippy::disallowed_types)]\n";

/// A repository that breaks no rule.
fn clean() -> Repository {
    let mut repository = Repository {
        packages: vec![package("bytekiln-python", "crates/python", &[])],
        files: Vec::new(),
    };
    repository.packages.push(package(
        "bytekiln-codec",
        "crates/codec",
        &[("bytekiln-python", false)],
    ));
    for (path, text) in [
        ("ARCHITECTURE.md", "`python`, `codec`, `planner`, `test-support`\n"),
        ("Cargo.lock", "[[package]]\n"),
        ("crates/codec/Cargo.toml", MANIFEST),
        ("crates/codec/src/lib.rs", PURE_ROOT),
    ] {
        put(&mut repository, path, text);
    }
    repository
}

fn package(name: &str, folder: &str, dependencies: &[(&str, bool)]) -> Package {
    let dependencies = dependencies
        .iter()
        .map(|(name, dev)| Dependency { name: (*name).to_owned(), dev: *dev })
        .collect();
    Package { name: name.to_owned(), folder: folder.to_owned(), dependencies }
}

fn put(repository: &mut Repository, path: &str, text: &str) {
    repository.files.retain(|file| file.path != path);
    repository.files.push(TextFile { path: path.to_owned(), text: text.to_owned() });
}

/// Breaks the clean repository and expects exactly one finding that starts as told.
#[track_caller]
fn check(break_it: impl FnOnce(&mut Repository), expected: &str) {
    let mut repository = clean();
    break_it(&mut repository);
    let found = findings(&repository);
    let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(shown.len() == 1 && shown[0].starts_with(expected), "{expected}\n{shown:#?}");
    assert!(!found[0].remedy.is_empty());
}

/// Adds a Rust file and expects one finding.
#[track_caller]
fn check_rust(text: &str, expected: &str) {
    check(|repository| put(repository, "crates/codec/src/a.rs", text), expected);
}

#[test]
fn clean_is_clean() {
    assert_eq!(findings(&clean()), []);
}

#[test]
fn the_repository_is_tidy() {
    let root = crate::shell::root();
    let repository = super::load::load(&root).unwrap();
    assert!(repository.packages.len() > 5 && repository.files.len() > 20);
    let found: Vec<String> = findings(&repository).iter().map(ToString::to_string).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn arrows_point_down() {
    check(
        |repository| {
            repository.packages[0] =
                package("bytekiln-python", "crates/python", &[("bytekiln-codec", false)]);
        },
        "crates/python/Cargo.toml:1: arrow from `bytekiln-python` to `bytekiln-codec` does not",
    );
    check(
        |repository| {
            repository.packages.push(package("bytekiln-planner", "crates/planner", &[]));
            put(repository, "crates/planner/src/lib.rs", PURE_ROOT);
            repository.packages[1]
                .dependencies
                .push(Dependency { name: "bytekiln-planner".to_owned(), dev: true });
        },
        "crates/codec/Cargo.toml:1: arrow from `bytekiln-codec` to `bytekiln-planner`",
    );
}

#[test]
fn crates_are_in_the_table_and_on_the_map() {
    check(
        |repository| {
            repository.packages.push(package("bytekiln-magic", "crates/magic", &[]));
            put(repository, "ARCHITECTURE.md", "`python` `codec` `magic`\n");
        },
        "crates/magic/Cargo.toml:1: crate `bytekiln-magic` is in no row",
    );
    check(
        |repository| put(repository, "ARCHITECTURE.md", "`python`\n"),
        "ARCHITECTURE.md:1: crate `bytekiln-codec` is not on the map",
    );
    check(
        |repository| repository.packages[0].folder = "crates/py".to_owned(),
        "crates/py/Cargo.toml:1: package `bytekiln-python` is in folder `crates/py`",
    );
}

#[test]
fn test_support_is_for_tests() {
    let with = |dev| {
        move |repository: &mut Repository| {
            let support = "bytekiln-test-support";
            repository.packages.push(package(support, "crates/test-support", &[]));
            repository.packages[1].dependencies.push(Dependency { name: support.to_owned(), dev });
        }
    };
    check(with(false), "crates/codec/Cargo.toml:1: `bytekiln-codec` uses `bytekiln-test-support`");
    let mut repository = clean();
    with(true)(&mut repository);
    assert_eq!(findings(&repository), []);
}

#[test]
fn crates_inherit_lints_and_pure_ones_deny_io() {
    check(
        |repository| {
            put(
                repository,
                "crates/codec/Cargo.toml",
                "[package]\n[lints.rust]\nworkspace = true\n",
            );
        },
        "crates/codec/Cargo.toml:1: package `bytekiln-codec` does not inherit",
    );
    check(
        |repository| put(repository, "crates/codec/src/lib.rs", "//! Codec.\n"),
        "crates/codec/src/lib.rs:1: pure crate `bytekiln-codec` does not deny I/O",
    );
}

#[test]
fn libraries_have_owners() {
    let using = |name: &'static str, dev| {
        move |repository: &mut Repository| {
            put(
                repository,
                "crates/codec/Cargo.toml",
                &format!("{MANIFEST}{name}.workspace = true\n"),
            );
            repository.packages[1].dependencies.push(Dependency { name: name.to_owned(), dev });
        }
    };
    check(
        using("leftpad", false),
        "crates/codec/Cargo.toml:9: third-party library `leftpad` is not",
    );
    check(using("clap", false), "crates/codec/Cargo.toml:9: `bytekiln-codec` may not name `clap`");
    check(using("proptest", false), "crates/codec/Cargo.toml:9: `bytekiln-codec` may not name");
    let mut repository = clean();
    using("proptest", true)(&mut repository);
    assert_eq!(findings(&repository), []);
}

#[test]
fn versions_are_stated_once() {
    for line in ["sha2 = \"0.11\"", "sha2 = { version = \"0.11\" }"] {
        check(
            |repository| {
                put(repository, "crates/codec/Cargo.toml", &format!("{MANIFEST}{line}\n"));
            },
            "crates/codec/Cargo.toml:9: a version outside the root manifest",
        );
    }
    check(
        |repository| put(repository, "Cargo.toml", "[workspace.dependencies]\nsha2 = \"0.11\"\n"),
        "Cargo.toml:2: `sha2` is listed but no package uses it",
    );
}

#[test]
fn the_lock_file_has_a_ceiling() {
    check(
        |repository| put(repository, "Cargo.lock", &"[[package]]\n".repeat(1000)),
        "Cargo.lock:1: 1000 packages",
    );
    check(
        |repository| repository.files.retain(|file| file.path != "Cargo.lock"),
        "Cargo.lock:1: no lock file",
    );
}

#[test]
fn rust_files_have_a_header_and_a_size() {
    check_rust("fn main() {}\n", "crates/codec/src/a.rs:1: no header");
    let long = format!("//! Long.\n{}", "// x\n".repeat(800));
    check_rust(&long, "crates/codec/src/a.rs:801: 801 lines");
    let mut repository = clean();
    put(&mut repository, "crates/codec/src/a.rs", &long.replacen("Long", "@generated", 1));
    assert_eq!(findings(&repository), []);
}

#[test]
fn inline_tests_are_short() {
    let module =
        |lines| format!("//! A.\n\n#[cfg(test)]\nmod tests {{\n{}}}\n", "    // x\n".repeat(lines));
    check_rust(&module(80), "crates/codec/src/a.rs:4: an inline test module of 81 lines");
    let mut repository = clean();
    put(&mut repository, "crates/codec/src/a.rs", &module(79));
    assert_eq!(findings(&repository), []);
}

#[test]
fn nothing_is_left_behind() {
    check_rust(
        "//! A.\n    #[ignore = \"slow\"]\n".replace('~', "").as_str(),
        "crates/codec/src/a.rs:2: an ignored test",
    );
    check_rust(concat!("//! A.\nfn a() { to", "do!() }\n"), "crates/codec/src/a.rs:2: `");
    check_rust("//! A.\n\tfn a() {}\n", "crates/codec/src/a.rs:2: a tab");
    check_rust("//! A. \nfn a() {}\n", "crates/codec/src/a.rs:1: white space");
    check_rust("//! A.\nfn a() {}", "crates/codec/src/a.rs:2: no newline");
    check_rust(concat!("//! A.\n<<<<", "<<< HEAD\n"), "crates/codec/src/a.rs:2: a conflict marker");
    check_rust(concat!("//! A.\n// TO", "DO: x\n"), "crates/codec/src/a.rs:2: `");
    check_rust(concat!("//! A.\n// \"/ho", "me/x/y\"\n"), "crates/codec/src/a.rs:2: a path of one");
    let fine = concat!("//! A.\n// TO", "DO(ada): x; src/ho", "me/mod.rs, TO", "DOS\n");
    let mut repository = clean();
    put(&mut repository, "crates/codec/src/a.rs", fine);
    assert_eq!(findings(&repository), []);
}

#[test]
fn names_say_what_is_inside() {
    for path in ["crates/codec/src/utils.rs", "crates/codec/src/common/a.rs"] {
        check(|repository| put(repository, path, "//! A.\n"), &format!("{path}:1: `"));
    }
}

#[test]
fn test_data_is_taken_as_it_is() {
    let mut repository = clean();
    put(&mut repository, "crates/codec/golden/a.txt", "trailing  \n\tno end");
    assert_eq!(findings(&repository), []);
}
