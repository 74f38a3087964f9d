//! Runs the embedded program with the CPython of the machine: `python3.11 -I`, or what
//! `GREETER_PYTHON` names. The interpreter maps the blob out of this very file, so nothing is
//! unpacked, copied or written; where a file cannot be asked what is mapped from it, the blob goes
//! through a temporary file.

use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::process::{Command, ExitCode};

use bytekiln_blob::{Blob, bootstrap, include_blob};

static PROGRAM: &[u8] = include_blob!(env!("GREETER_BLOB_PATH"));
const MAIN: &str = "greeter.main";

fn main() -> ExitCode {
    match run() {
        Ok(status) => status,
        Err(error) => {
            eprintln!("greeter: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode, Box<dyn Error>> {
    let blob = Blob::parse(PROGRAM)?;
    let python = env::var_os("GREETER_PYTHON").unwrap_or_else(|| interpreter(&blob).into());
    let mut command = Command::new(&python);
    command.args(["-I", "-c", &bootstrap(&blob)?]);
    start(command).map_err(|error| format!("{}: {error}", python.display()).into())
}

/// `cpython-311` → `python3.11`.
fn interpreter(blob: &Blob<'_>) -> String {
    let tag = blob.target().cache_tag;
    match tag.strip_prefix("cpython-3") {
        Some(minor) => format!("python3.{minor}"),
        None => "python3".to_owned(),
    }
}

/// What the bootstrap finds in `sys.argv`.
fn arguments(file: OsString, offset: u64) -> impl Iterator<Item = OsString> {
    let place = [file, offset.to_string().into(), PROGRAM.len().to_string().into(), MAIN.into()];
    place.into_iter().chain(env::args_os().skip(1))
}

/// The interpreter takes the place of this process: signals and exit status are its own.
#[cfg(target_os = "linux")]
fn start(mut command: Command) -> Result<ExitCode, Box<dyn Error>> {
    use std::os::unix::process::CommandExt as _;

    let offset = offset_in_this_file().ok_or("the blob is mapped from no file")?;
    command.args(arguments(env::current_exe()?.into(), offset));
    Err(command.exec().into())
}

/// Where in this file the blob is, by what `/proc/self/maps` says of the address that it has.
#[cfg(target_os = "linux")]
fn offset_in_this_file() -> Option<u64> {
    let address = u64::try_from(PROGRAM.as_ptr().addr()).ok()?;
    let hex = |text| u64::from_str_radix(text, 16).ok();
    std::fs::read_to_string("/proc/self/maps").ok()?.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace();
        let (start, end) = words.next()?.split_once('-')?;
        let (start, end, offset) = (hex(start)?, hex(end)?, hex(words.nth(1)?)?);
        let inside = start <= address && address + PROGRAM.len() as u64 <= end;
        inside.then(|| offset + (address - start))
    })
}

#[cfg(not(target_os = "linux"))]
fn start(mut command: Command) -> Result<ExitCode, Box<dyn Error>> {
    let file = env::temp_dir().join(format!("greeter-{}.blob", std::process::id()));
    std::fs::write(&file, PROGRAM)?;
    let status = command.args(arguments(file.clone().into(), 0)).status();
    std::fs::remove_file(&file)?;
    Ok(status?.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1).into())
}
