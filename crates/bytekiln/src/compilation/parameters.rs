//! Parameter files: `@FILE` stands for the arguments in that file, one a line, taken as they are.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use super::base::Base;
use crate::failure::CommandFailure;

/// A larger file is no parameter file.
const LARGEST: u64 = 256 << 20;

/// Replaces each `@FILE` by what is in it, not further. Also which files those were.
///
/// # Errors
/// A file that cannot be read, is outside of the base, or has 256 MiB and more.
pub(crate) fn expand(
    arguments: impl IntoIterator<Item = OsString>,
    base: &Base,
) -> Result<(Vec<OsString>, Vec<PathBuf>), CommandFailure> {
    let (mut expanded, mut files) = (Vec::new(), Vec::new());
    for argument in arguments {
        let is_value = expanded.last().is_some_and(takes_a_file);
        let path = argument.as_bytes().strip_prefix(b"@").filter(|_| !is_value);
        let Some(path) = path else {
            expanded.push(argument);
            continue;
        };
        let path = Path::new(OsStr::from_bytes(path));
        let text = read(path, base)?;
        let lines = text.split(|byte| *byte == b'\n');
        let lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        // Empty lines are no arguments; build systems end files with one.
        expanded.extend(
            lines.filter(|line| !line.is_empty()).map(|line| OsString::from_vec(line.to_vec())),
        );
        files.push(path.to_owned());
    }
    Ok((expanded, files))
}

/// Options whose value may be `@FILE`, which is for them to read.
fn takes_a_file(option: &OsString) -> bool {
    option == "--expect-python" || option == "--expect-compiler"
}

/// The bytes of a file that was named by an argument.
pub(super) fn read(path: &Path, base: &Base) -> Result<Vec<u8>, CommandFailure> {
    let unreadable = |error: std::io::Error| {
        CommandFailure::usage(format!("could not read `{}`: {error}", path.display()))
    };
    let place = base.resolve(path)?;
    let metadata = std::fs::metadata(&place).map_err(unreadable)?;
    if !metadata.is_file() || metadata.len() > LARGEST {
        return Err(CommandFailure::usage(format!(
            "`{}` is no file of less than {} MiB",
            path.display(),
            LARGEST >> 20
        )));
    }
    std::fs::read(place).map_err(unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_arguments() {
        let folder =
            std::env::temp_dir().join(format!("bytekiln-parameters-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("p"), b"--python\r\n/a b\n\n@other\n'c'").expect("a file");
        let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        let base = Base::confined(folder.clone());
        let (expanded, files) = expand(words(&["x", "@p", "y"]), &base).expect("it is there");
        assert_eq!(expanded, words(&["x", "--python", "/a b", "@other", "'c'", "y"]));
        assert_eq!(files, [PathBuf::from("p")]);
        let (kept, files) =
            expand(words(&["--expect-python", "@who"]), &base).expect("nothing is read");
        assert_eq!((kept, files), (words(&["--expect-python", "@who"]), Vec::new()));
        let outside = expand(words(&["@../p"]), &base).expect_err("outside");
        assert_eq!(outside.status, crate::exit::ExitStatus::Usage);
        let absent = expand(words(&["@absent"]), &base).expect_err("absent");
        assert!(absent.messages[0].starts_with("could not read `absent`: "));
        std::fs::remove_dir_all(folder).expect("it was made");
    }
}
