//! `cargo bytekiln …`: cargo calls `cargo-bytekiln bytekiln …`; the first argument is dropped.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments: Vec<std::ffi::OsString> = std::env::args_os().collect();
    if arguments.get(1).is_some_and(|first| first == "bytekiln") {
        arguments.remove(1);
    }
    bytekiln::main(arguments).into()
}
