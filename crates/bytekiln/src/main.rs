//! The command `bytekiln`.

use std::process::ExitCode;

fn main() -> ExitCode {
    bytekiln::main(std::env::args_os().collect()).into()
}
