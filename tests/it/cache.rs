//! The user's cache: shared by checkouts, never trusted, never a reason to fail.

use std::fs;
use std::path::Path;

use crate::build::CALCULATOR;
use crate::sandbox::Sandbox;

/// Copies the sources of one workspace into a new folder beside it and returns its name.
fn second_checkout(sandbox: &Sandbox, name: &str) -> String {
    let folder = sandbox.beside(name);
    for file in bytekiln_test_support::fixture::parse(CALCULATOR) {
        let path = folder.join(&file.path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file.content).unwrap();
    }
    folder.to_string_lossy().into_owned()
}

fn restored(sandbox: &Sandbox, folder: &str) -> usize {
    let output = sandbox.build(&["--manifest-path", folder]).success();
    output.results().iter().filter(|result| result.ends_with(" restored")).count()
}

fn cache_files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            cache_files(&entry.path(), found);
        } else {
            found.push(entry.path());
        }
    }
}

fn caches_of(folder: &str) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    cache_files(Path::new(folder), &mut files);
    files.retain(|file| file.extension().is_some_and(|extension| extension == "pyc"));
    files.sort();
    let name = |file: &Path| file.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
    files.iter().map(|file| (name(file), fs::read(file).unwrap())).collect()
}

#[test]
fn a_second_checkout_compiles_nothing() {
    let Some(sandbox) = Sandbox::new(CALCULATOR) else { return };
    sandbox.build(&[]).success();
    let second = second_checkout(&sandbox, "second");
    assert_eq!(restored(&sandbox, &second), 6);
    assert_eq!(caches_of(&second), sandbox.cache_bytes());
}

#[test]
fn without_cache_everything_is_compiled() {
    let Some(sandbox) = Sandbox::new(CALCULATOR) else { return };
    sandbox.build(&["--no-cache"]).success();
    let mut files = Vec::new();
    cache_files(&sandbox.beside("cache"), &mut files);
    assert_eq!(files.len(), 0, "{files:?}");
    let second = second_checkout(&sandbox, "second");
    assert_eq!(restored(&sandbox, &second), 0);
    assert_eq!(caches_of(&second), sandbox.cache_bytes());
}

/// Every file of the cache is damaged in turn of its kind: truncated, flipped, emptied.
#[test]
fn a_damaged_cache_is_a_miss() {
    let Some(sandbox) = Sandbox::new(CALCULATOR) else { return };
    // Outputs may be links to cache entries: only the copies that a later build makes are compared.
    sandbox.build(&[]).success();
    let before = sandbox.cache_bytes();
    for damage in 0..3 {
        let mut files = Vec::new();
        cache_files(&sandbox.beside("cache"), &mut files);
        assert!(!files.is_empty());
        for file in files {
            let mut bytes = fs::read(&file).unwrap();
            match damage {
                0 => bytes.truncate(bytes.len() / 2),
                1 => bytes.iter_mut().skip(20).step_by(7).for_each(|byte| *byte ^= 0x40),
                _ => bytes.clear(),
            }
            // Replaced, so that outputs that are links keep their bytes.
            fs::remove_file(&file).unwrap();
            fs::write(&file, bytes).unwrap();
        }
        let second = second_checkout(&sandbox, &format!("checkout-{damage}"));
        sandbox.build(&["--manifest-path", &second]).success();
        assert_eq!(caches_of(&second), before, "damage {damage}");
    }
}

#[test]
fn an_unusable_cache_folder_is_a_warning() {
    let Some(sandbox) = Sandbox::new(CALCULATOR) else { return };
    let file = sandbox.beside("not-a-folder");
    fs::write(&file, "").unwrap();
    let output = sandbox.run(&["build", "--cache-dir", &file.to_string_lossy()]).success();
    let output = output.says(&["warning", "not-a-folder"]);
    assert_eq!(output.stderr.matches("warning").count(), 1, "{}", output.shown());
    assert_eq!(sandbox.caches().len(), 6);
}

#[test]
fn the_cache_is_shown_and_emptied() {
    let Some(sandbox) = Sandbox::new(CALCULATOR) else { return };
    sandbox.build(&[]).success();
    let folder = sandbox.run(&["cache", "dir"]).success().stdout;
    assert!(folder.trim_end().starts_with(&*sandbox.beside("cache").to_string_lossy()), "{folder}");
    let stats = sandbox.run(&["cache", "stats", "--format", "json"]).success().stdout;
    serde_json::from_str::<serde_json::Value>(&stats).unwrap();
    sandbox.run(&["cache", "gc"]).success();
    sandbox.run(&["cache", "clear"]).success();
    let second = second_checkout(&sandbox, "second");
    assert_eq!(restored(&sandbox, &second), 0, "nothing is left to restore");
    sandbox.run(&["check"]).success();
}

#[test]
fn a_broken_entry_is_told() {
    let Some(sandbox) = Sandbox::new(CALCULATOR) else { return };
    sandbox.build(&[]).success();
    let mut files = Vec::new();
    cache_files(&sandbox.beside("cache"), &mut files);
    files.retain(|file| file.components().any(|part| part.as_os_str() == "objects"));
    assert!(!files.is_empty());
    for file in files {
        fs::remove_file(&file).unwrap();
        fs::write(&file, "broken").unwrap();
    }
    let second = second_checkout(&sandbox, "second");
    let output = sandbox.build(&["--manifest-path", &second]).success();
    assert!(!output.messages("cache-trouble").is_empty(), "{}", output.shown());
    assert!(output.results().iter().all(|result| result.ends_with(" compiled")));
}
