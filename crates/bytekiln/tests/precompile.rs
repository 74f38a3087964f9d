//! The library face, as an xtask and a build script use it.
#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure told")]

use std::path::Path;
use std::sync::Mutex;

use bytekiln::precompile::{Precompile, Progress, embed};
use bytekiln_test_support::{Scratch, pythons};

const FILES: [(&str, &str); 5] = [
    ("bytekiln.toml", "[workspace]\nmembers = [\"words\"]\n"),
    ("words/pyproject.toml", "[project]\nname = \"words\"\n"),
    ("words/words/__init__.py", "from words import count\n"),
    ("words/words/count.py", "def count(text):\n    return len(text.split())\n"),
    ("words/words/alone.py", "ALONE = 1\n"),
];

fn workspace() -> Option<(Scratch, String)> {
    let python = pythons::any_or_skip()?.path.display().to_string();
    let folder = Scratch::new();
    for (path, text) in FILES {
        write(&folder, path, text);
    }
    Some((folder, python))
}

fn write(folder: &Scratch, path: &str, text: &str) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn precompile(folder: &Scratch, python: &str) -> Precompile {
    Precompile::in_folder(folder.path()).python(python).without_cache()
}

#[test]
fn plan_execute_and_again() {
    let Some((folder, python)) = workspace() else { return };
    let precompile = precompile(&folder, &python);
    let plan = precompile.plan().unwrap();
    assert_eq!((plan.steps().len(), plan.fresh(), plan.removals().len()), (3, 0, 0));
    assert!(plan.steps().iter().all(|step| step.source.is_file() && !step.reasons.is_empty()));
    let outputs: Vec<_> = plan.steps().iter().filter_map(|step| step.output.clone()).collect();
    let seen = Mutex::new(Vec::new());
    let outcome = plan
        .execute(&|progress| {
            if let Progress::Compiled(step) = progress {
                seen.lock().unwrap().push(step.source.clone());
            }
        })
        .unwrap();
    assert!(outcome.is_success(), "{outcome:?}");
    assert_eq!((outcome.tally.compiled, seen.into_inner().unwrap().len()), (3, 3));
    assert!(outputs.len() == 3 && outputs.iter().all(|output| output.is_file()));

    let plan = precompile.plan().unwrap();
    assert_eq!((plan.steps().len(), plan.fresh()), (0, 3));
    assert!(plan.execute(&|_| panic!("nothing is done")).unwrap().is_success());

    std::fs::remove_file(folder.join("words/words/alone.py")).unwrap();
    write(&folder, "words/words/count.py", "def count(:\n");
    let plan = precompile.plan().unwrap();
    assert_eq!((plan.steps().len(), plan.removals().len()), (1, 1));
    let said = Mutex::new(String::new());
    let outcome = plan
        .execute(&|progress| {
            if let Progress::Rejected { diagnostic, .. } = progress {
                said.lock().unwrap().push_str(&diagnostic);
            }
        })
        .unwrap();
    assert!(!outcome.is_success());
    assert!(said.into_inner().unwrap().contains("--> words/words/count.py:1:11"));
    assert!(outputs.iter().filter(|output| output.is_file()).count() == 1, "older ones are gone");
}

#[test]
fn what_is_not_usable_is_an_error() {
    let Some((folder, python)) = workspace() else { return };
    let error = precompile(&folder, &python).profile("absent").plan().err().unwrap();
    assert!(error.to_string().starts_with("there is no profile `absent` (help: "), "{error}");
    let error = precompile(&folder, "/absent/python").plan().err().unwrap();
    assert!(error.to_string().contains("/absent/python"), "{error}");
    write(&folder, "bytekiln.toml", "[workspace\n");
    let error = precompile(&folder, &python).plan().err().unwrap();
    assert!(error.to_string().contains("bytekiln.toml:1"), "{error}");
}

#[test]
fn embed_the_caches_of_an_entry() {
    let Some((folder, python)) = workspace() else { return };
    let table = folder.join("out/pycs.rs");
    std::fs::create_dir_all(folder.join("out")).unwrap();
    let all = embed(precompile(&folder, &python), "PYCS", &table).unwrap();
    assert_eq!(all.count, 3);
    let part = embed(precompile(&folder, &python).entry("words.count"), "PYCS", &table).unwrap();
    let names: Vec<_> = part.sources.iter().map(|path| path.file_name().unwrap()).collect();
    assert_eq!(names, ["__init__.py", "count.py"], "what the graph says it loads");
    for path in ["words/words/count.py", "words/words", "bytekiln.toml"] {
        let line = format!("cargo::rerun-if-changed={}\n", folder.join(path).display());
        assert!(part.instructions.contains(&line), "{}", part.instructions);
    }
    assert!(!part.instructions.contains("alone.py"));
    let text = std::fs::read_to_string(&table).unwrap();
    assert!(text.contains("pub static PYCS: &[(&str, &[u8])] = &["), "{text}");
    for row in text.lines().filter(|line| line.starts_with("    (")) {
        let mut parts = row.split('"').skip(1).step_by(2);
        let (path, copy) = (parts.next().unwrap(), parts.next().unwrap());
        let built = std::fs::read(folder.join(path)).unwrap();
        assert_eq!(std::fs::read(Path::new(copy)).unwrap(), built, "{path}");
    }

    write(&folder, "words/words/count.py", "def count(:\n");
    let error = embed(precompile(&folder, &python), "PYCS", &table).unwrap_err();
    assert!(error.to_string().contains("--> words/words/count.py:1:11"), "{error}");
}

/// The bytes, and the records, are those of the command.
#[test]
fn it_is_what_the_command_does() {
    let Some((folder, python)) = workspace() else { return };
    let precompile = precompile(&folder, &python);
    let outputs = |plan: &bytekiln::precompile::Planned<'_>| -> Vec<_> {
        plan.steps().iter().filter_map(|step| step.output.clone()).collect()
    };
    let plan = precompile.plan().unwrap();
    let outputs = outputs(&plan);
    assert!(plan.execute(&|_| {}).unwrap().is_success());
    let ours: Vec<_> = outputs.iter().map(|output| std::fs::read(output).unwrap()).collect();
    let command = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_bytekiln"));
        command.args(arguments).args(["--no-cache", "--python", &python]);
        command.current_dir(folder.path()).status().unwrap()
    };
    assert!(command(&["check"]).success(), "the command finds everything fresh");
    for output in &outputs {
        std::fs::remove_file(output).unwrap();
    }
    assert!(command(&["build", "--quiet"]).success());
    let theirs: Vec<_> = outputs.iter().map(|output| std::fs::read(output).unwrap()).collect();
    assert!(ours == theirs && ours.len() == 3);
}
