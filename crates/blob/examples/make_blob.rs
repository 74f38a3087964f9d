//! Makes a blob of a folder of compiled Python: `make_blob FOLDER OUT [PYTHON]`. Every `.pyc` in a
//! `__pycache__` becomes a module, its source goes with it, and every other file is data. With
//! PYTHON, the finder is compiled by it and put in.
#![expect(clippy::print_stdout, reason = "an example says what it did")]

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use bytekiln_blob::{Entry, FINDER, FINDER_MODULE, Target, write};

/// What a file is, by its path below the folder.
enum Kind {
    /// Full name, whether it is a package, and the cache tag.
    Bytecode(String, bool, String),
    Source(String),
    Data,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [folder, out, python @ ..] = arguments.as_slice() else {
        return Err("usage: make_blob FOLDER OUT [PYTHON]".into());
    };
    let mut files = BTreeMap::new();
    read(Path::new(folder), "", &mut files)?;

    let mut entries = Vec::new();
    let mut cache_tag = String::from("cpython");
    let mut magic_number = None;
    let kinds: Vec<(Kind, &String, &Vec<u8>)> =
        files.iter().map(|(path, bytes)| (kind(path), path, bytes)).collect();
    for (kind, path, bytes) in &kinds {
        match kind {
            Kind::Bytecode(name, package, tag) => {
                if let Some([low, high]) = bytes.first_chunk() {
                    magic_number = Some(u16::from_le_bytes([*low, *high]));
                }
                cache_tag.clone_from(tag);
                entries.push(Entry::Module { name, package: *package, pyc: bytes, origin: None });
            }
            Kind::Source(name) => entries.push(Entry::Source { name, text: bytes }),
            Kind::Data => entries.push(Entry::Data { path, bytes }),
        }
    }
    let finder = match python {
        [python, ..] => Some(compile_finder(python)?),
        [] => None,
    };
    if let Some(pyc) = &finder {
        entries.push(Entry::Module { name: FINDER_MODULE, package: false, pyc, origin: None });
    }
    let magic_number = magic_number.ok_or("there is no .pyc in a __pycache__ of the folder")?;
    let target = Target { magic_number, cache_tag: &cache_tag, optimization: 0 };
    let blob = write(&entries, &target)?;
    fs::write(out, &blob)?;
    println!("{}: {} entries, {} bytes", out, entries.len(), blob.len());
    Ok(())
}

fn read(
    folder: &Path,
    prefix: &str,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().into_string().map_err(|_| "a file name that is not UTF-8")?;
        let path = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            read(&entry.path(), &format!("{path}/"), files)?;
        } else {
            files.insert(path, fs::read(entry.path())?);
        }
    }
    Ok(())
}

fn kind(path: &str) -> Kind {
    if let Some((folder, file)) = path.split_once("__pycache__/")
        && let [stem, tag, "pyc"] = file.split('.').collect::<Vec<_>>().as_slice()
    {
        let (name, package) = module(&format!("{folder}{stem}"));
        return Kind::Bytecode(name, package, (*tag).to_owned());
    }
    match path.strip_suffix(".py") {
        Some(stem) => Kind::Source(module(stem).0),
        None => Kind::Data,
    }
}

/// `app/__init__` → `app`, a package.
fn module(path: &str) -> (String, bool) {
    match path.strip_suffix("/__init__") {
        Some(folder) => (folder.replace('/', "."), true),
        None => (path.replace('/', "."), false),
    }
}

/// Has the interpreter compile the finder, from a file that is gone afterwards.
fn compile_finder(python: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let folder: PathBuf = env::temp_dir().join(format!("bytekiln-finder-{}", std::process::id()));
    fs::create_dir(&folder)?;
    let compile = || -> Result<Vec<u8>, Box<dyn Error>> {
        fs::write(folder.join("bytekiln_blob.py"), FINDER)?;
        const PROGRAM: &str = "import py_compile; py_compile.compile('bytekiln_blob.py', \
            'finder.pyc', doraise=True, \
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)";
        let status =
            Command::new(python).args(["-I", "-c", PROGRAM]).current_dir(&folder).status()?;
        if !status.success() {
            return Err(format!("{python} did not compile the finder").into());
        }
        Ok(fs::read(folder.join("finder.pyc"))?)
    };
    let outcome = compile();
    fs::remove_dir_all(&folder)?;
    outcome
}
