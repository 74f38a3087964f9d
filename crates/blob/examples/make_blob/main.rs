//! Makes a blob of a folder of compiled Python: `make_blob FOLDER OUT [PYTHON]`. With PYTHON, the
//! finder is compiled by it and put in.
#![expect(clippy::print_stdout, reason = "an example says what it did")]

mod tree;

use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use bytekiln_blob::{FINDER, FINDER_MODULE, write};

use crate::tree::Tree;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [folder, out, python @ ..] = arguments.as_slice() else {
        return Err("usage: make_blob FOLDER OUT [PYTHON]".into());
    };
    let mut tree = Tree::read(Path::new(folder))?;
    if let [python, ..] = python {
        tree.modules.insert(FINDER_MODULE.to_owned(), (compile_finder(python)?, false));
    }
    let target = tree.target().ok_or("there is no .pyc in a __pycache__ of the folder")?;
    let entries = tree.entries();
    let blob = write(&entries, &target)?;
    fs::write(out, &blob)?;
    println!("{out}: {} entries, {} bytes", entries.len(), blob.len());
    Ok(())
}

/// Has the interpreter compile the finder, in a folder that is gone afterwards.
fn compile_finder(python: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    const PROGRAM: &str = "import py_compile; py_compile.compile('bytekiln_blob.py', \
        'finder.pyc', doraise=True, \
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)";
    let folder = env::temp_dir().join(format!("bytekiln-finder-{}", std::process::id()));
    fs::create_dir(&folder)?;
    let compile = || -> Result<Vec<u8>, Box<dyn Error>> {
        fs::write(folder.join("bytekiln_blob.py"), FINDER)?;
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
