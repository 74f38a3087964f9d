//! The ways in which an interpreter comes to write a cache of a module: held, executed, imported,
//! compiled by two workers, … (`routes.py`). Whatever their bytes, they have one canonical form.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};

use bytekiln_codec::{
    HEADER_LENGTH, Header, Limits, NanPolicy, canonicalize, decode, encode, source_hash,
};
use bytekiln_python::Release;
use bytekiln_test_support::Scratch;

use crate::{interpreters, options};

/// Modules of the standard library that were written differently by some release, each in its own
/// way: interned qualified names, characters, elements of sets.
const LIBRARY: [&str; 7] = [
    "argparse.py",
    "typing.py",
    "csv.py",
    "weakref.py",
    "ftplib.py",
    "enum.py",
    "html/entities.py",
];

/// Modules made for the purpose.
const SAMPLES: [(&str, &str); 6] = [
    // gh-129724: whether the set is copied depends on whether its strings are interned already.
    ("set_of_names", "def f(x):\n    return x in {'alpha_one', 'beta two', 'gamma_three'}\n"),
    ("names_of_set", "import set_of_names\nalpha_one = gamma_three = set_of_names.f('beta two')\n"),
    // gh-92132: a variable of one module is a constant of another.
    ("variable", "_m = 1\ndef f(_m=_m, *, key='_m'):\n    return {'_m': _m, '_': key}\n"),
    // gh-73894: characters are shared by the whole process.
    ("characters", "OPEN, CLOSE = '{', '}'\ndef f(c='é'):\n    return c in '{é' or c == ' '\n"),
    ("nested", "class A:\n    class B:\n        def f(self):\n            return A.B, 'A.B'\n"),
    (
        "constants",
        "X = (1, 1.0, True, -0.0, 0.0, 1 << 70, 2j, -0j, b'a', 'a', ..., None, 1e999)\n\
         Y = X[0] in {1, 'b!', (1, 'c!'), b'b!'}, X[1:2], X[::2], 'a' * 300, 'ä' * 9, '\\ud800'\n\
         NAN = 1e999 - 1e999, 1e999 - 1e999\n",
    ),
];

fn check(minor: u8) {
    let release = Release::from_minor(minor).expect("a known release");
    let found = interpreters::find(minor);
    if found.is_empty() {
        interpreters::missing(minor);
    }
    for interpreter in found {
        let scratch = Scratch::new();
        let (sources, results) = (scratch.join("sources"), scratch.join("results"));
        let modules = write_sources(&interpreter, &sources);
        let status = Command::new(&interpreter)
            .args(["-I", "-c", include_str!("routes.py")])
            .args([&sources, &results])
            .stdin(Stdio::null())
            .status();
        assert!(status.expect("the interpreter starts").success(), "{}", interpreter.display());
        let mut routes = BTreeSet::new();
        let mut written = BTreeMap::new();
        for (module, source) in &modules {
            let files = read_results(&results.join(module));
            let names: BTreeSet<String> = files.keys().cloned().collect();
            let (distinct, canonical) = check_module(release, module, source, &files);
            assert!(!canonical.is_empty());
            routes.extend(names);
            written.insert(module.as_str(), distinct);
        }
        println!("{}: {} routes, {written:?}", interpreter.display(), routes.len());
        let expected = ["direct", "held", "tree-kept", "compiled-twice", "executed", "round-trip"];
        let others = ["interned-before", "marshal-3", "import", "compileall-1", "compileall-2"];
        for route in expected.iter().chain(&others).chain(&["py_compile", "thread-3"]) {
            assert!(routes.contains(*route), "{route} by {}", interpreter.display());
        }
        assert!(routes.len() >= 30, "{routes:?}");
        // If nothing differs, nothing is tested.
        assert!(written.values().all(|distinct| *distinct >= 2), "{written:?}");
    }
}

/// Writes the modules into a folder; their names and sources.
fn write_sources(interpreter: &Path, folder: &Path) -> BTreeMap<String, Vec<u8>> {
    const QUESTION: &str = "import sysconfig; print(sysconfig.get_paths()['stdlib'], end='')";
    let output = Command::new(interpreter).args(["-I", "-c", QUESTION]).output();
    let library = String::from_utf8(output.expect("the interpreter starts").stdout);
    let library = library.expect("a path in UTF-8");
    let mut modules = BTreeMap::new();
    for file in LIBRARY {
        let source = std::fs::read(Path::new(&library).join(file)).expect("a module");
        let stem = file.trim_end_matches(".py").replace('/', "_");
        modules.insert(format!("library_{stem}"), source);
    }
    for (name, source) in SAMPLES {
        modules.insert(name.to_owned(), source.as_bytes().to_vec());
    }
    std::fs::create_dir(folder).expect("a folder");
    for (name, source) in &modules {
        std::fs::write(folder.join(format!("{name}.py")), source).expect("a source");
    }
    modules
}

fn read_results(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("the results of a module");
    let read = |path: &Path| {
        let route = path.file_stem().expect("a name").to_string_lossy().into_owned();
        (route, std::fs::read(path).expect("a result"))
    };
    entries.map(|entry| read(&entry.expect("a result").path())).collect()
}

/// How many different payloads there are, and their one canonical form.
fn check_module(
    release: Release,
    module: &str,
    source: &[u8],
    files: &BTreeMap<String, Vec<u8>>,
) -> (usize, Vec<u8>) {
    let options = options(release, b"m.py", NanPolicy::Kept);
    let mut distinct = BTreeSet::new();
    let mut canonical: Option<Vec<u8>> = None;
    for (route, pyc) in files {
        let header = Header::parse(pyc).expect("a header");
        assert_eq!(header.release(), Some(release), "{module} by {route}");
        if let bytekiln_codec::Validation::Hash { source_hash: found, .. } = header.validation {
            assert_eq!(found, source_hash(release, source), "{module} by {route}");
        }
        let payload = &pyc[HEADER_LENGTH..];
        let tree = decode(payload, release, &Limits::default())
            .unwrap_or_else(|error| panic!("{module} by {route}: {error}"));
        assert!(encode(&tree) == payload, "{module} by {route} is not kept by encoding");
        let form = canonicalize(payload, &options).expect("a canonical form");
        let first = canonical.get_or_insert_with(|| form.clone());
        assert!(*first == form, "{module} by {route} has another canonical form");
        distinct.insert(payload);
    }
    (distinct.len(), canonical.unwrap_or_default())
}

macro_rules! releases {
    ($($name:ident: $minor:literal,)*) => {
        $(#[test]
        fn $name() {
            check($minor);
        })*
    };
}

releases! {
    routes_of_3_8: 8,
    routes_of_3_9: 9,
    routes_of_3_10: 10,
    routes_of_3_11: 11,
    routes_of_3_12: 12,
    routes_of_3_13: 13,
    routes_of_3_14: 14,
    routes_of_3_15: 15,
}
