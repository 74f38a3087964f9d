//! The Python that imports from a blob, as text.

use alloc::format;
use alloc::string::String;

use crate::read::{Blob, BlobError};

/// The source of the Python module that imports from a blob, for CPython 3.8 to 3.15: `Blob`,
/// `install(blob)`, `run(blob, "app.main")`. It needs nothing outside of the standard library.
pub const FINDER: &str = include_str!("../finder/bytekiln_blob.py");

/// The name of that module. A blob that has [`FINDER`] compiled under this name brings its own
/// finder, which then need not be compiled at each start.
pub const FINDER_MODULE: &str = "bytekiln_blob";

/// A program for `python -I -c`, which runs a module of a blob. Its arguments: the file that the
/// blob is in, the offset of the blob there, its length, the module to run as `__main__`, and what
/// the module is to find in `sys.argv[1:]`.
///
/// # Errors
/// [`BlobError::Damaged`] if the finder in the blob is.
pub fn bootstrap(blob: &Blob<'_>) -> Result<String, BlobError> {
    let target = blob.target();
    let (tag, magic_number) = (target.cache_tag, target.magic_number);
    let before = format!(
        "import sys\n\
         from _frozen_importlib_external import MAGIC_NUMBER\n\
         magic_number = int.from_bytes(MAGIC_NUMBER[:2], 'little')\n\
         if magic_number != {magic_number}:\n    \
             sys.exit('this program is bytecode of {tag} (magic number {magic_number}), but this is '\n        \
                 'CPython {{}}.{{}}.{{}} (magic number {{}}): run it with the former'.format(\n            \
                 *sys.version_info[:3], magic_number))\n"
    );
    let after = format!(
        "finder = sys.modules['{FINDER_MODULE}'] = type(sys)('{FINDER_MODULE}')\n\
         exec(code, finder.__dict__)\n\
         finder._launch()\n"
    );
    let load = match blob.find(FINDER_MODULE) {
        None => format!("code = compile(r'''{FINDER}''', '<{FINDER_MODULE}>', 'exec')\n"),
        Some(finder) => {
            let (offset, length) = (finder.code_offset(), finder.code()?.len());
            format!(
                "import marshal\n\
                 with open(sys.argv[1], 'rb') as file:\n    \
                     file.seek(int(sys.argv[2]) + {offset})\n    \
                     code = marshal.loads(file.read({length}))\n"
            )
        }
    };
    Ok([before, load, after].concat())
}
