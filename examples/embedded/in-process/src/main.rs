//! Runs the embedded program with a CPython that is linked into this process. It imports from the
//! bytes of the binary where they are: no file is opened and nothing is copied.

use std::env;
use std::ffi::{CString, c_char};

use bytekiln_blob::{Blob, FINDER, FINDER_MODULE, include_blob};
use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyModule};

static PROGRAM: &[u8] = include_blob!(env!("GREETER_BLOB_PATH"));
const MAIN: &str = "greeter.main";

fn main() {
    Python::attach(|python| {
        if let Err(error) = run(python) {
            // Ends the process as `python` would, if the program has called `sys.exit`.
            error.print(python);
            std::process::exit(1);
        }
    });
}

fn run(python: Python<'_>) -> PyResult<()> {
    let mut arguments: Vec<String> = vec![MAIN.to_owned()];
    arguments.extend(env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()));
    python.import("sys")?.setattr("argv", arguments)?;

    let finder = finder(python)?;
    let blob = finder.getattr("Blob")?.call1((memory(python)?,))?;
    finder.getattr("run")?.call1((blob, MAIN))?;
    Ok(())
}

/// The module that imports from blobs: as the blob has it compiled, else from its source. In a
/// CPython that the blob was not made for, it is the source that says so.
fn finder(python: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    let blob = Blob::parse(PROGRAM).map_err(|error| PyImportError::new_err(error.to_string()))?;
    let magic: [u8; 4] = python.import("importlib.util")?.getattr("MAGIC_NUMBER")?.extract()?;
    let fits = u16::from_le_bytes([magic[0], magic[1]]) == blob.target().magic_number;
    let Some(compiled) = blob.find(FINDER_MODULE).filter(|_| fits) else {
        let name = CString::new(FINDER_MODULE)?;
        return PyModule::from_code(python, &CString::new(FINDER)?, c"bytekiln_blob.py", &name);
    };
    let code = compiled.code().map_err(|error| PyImportError::new_err(error.to_string()))?;
    let code = python.import("marshal")?.call_method1("loads", (PyBytes::new(python, code),))?;
    let module = PyModule::new(python, FINDER_MODULE)?;
    python.import("builtins")?.call_method1("exec", (code, module.dict()))?;
    Ok(module)
}

/// The blob as a `memoryview`.
fn memory(python: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let start = PROGRAM.as_ptr().cast_mut().cast::<c_char>();
    let length = isize::try_from(PROGRAM.len())?;
    // SAFETY: the bytes are there as long as the process, and the view is of the kind that can only
    // be read.
    unsafe {
        let view = pyo3::ffi::PyMemoryView_FromMemory(start, length, pyo3::ffi::PyBUF_READ);
        Bound::from_owned_ptr_or_err(python, view)
    }
}
