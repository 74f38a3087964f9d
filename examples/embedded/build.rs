//! Says where the blob is: `dist/greeter.blob`, where `bytekiln pack` leaves it, or what
//! `GREETER_BLOB` names. Without one there is no program to embed.

use std::env;
use std::path::Path;

fn main() {
    println!("cargo::rerun-if-env-changed=GREETER_BLOB");
    let folder = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let root = folder.strip_suffix("/in-process").unwrap_or(&folder);
    let path = env::var("GREETER_BLOB").unwrap_or(format!("{root}/dist/greeter.blob"));
    println!("cargo::rerun-if-changed={path}");
    if Path::new(&path).is_file() {
        println!("cargo::rustc-env=GREETER_BLOB_PATH={path}");
    } else {
        println!("cargo::error=there is no `{path}` to embed: run `bytekiln pack greeter` first");
    }
}
