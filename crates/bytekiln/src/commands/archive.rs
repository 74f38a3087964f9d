//! `bytekiln archive`: named files as a zip or a tar, for build systems. Looks at no workspace, and knows
//! nothing of what the files are.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use bytekiln_action::{Digest, RepoPath};
use bytekiln_artifact::{
    Content, DeflateLevel, Entries, Item, ItemKind, Links, Owner, PendingFile, TarCompression,
    TarOptions, ZipCompression, ZipFolders, ZipOptions, ZstdLevel, lay_out, write_tar, write_zip,
};

use super::pack::DEFAULT_TIME;
use crate::arguments::{ArchiveArguments, ArchiveCompression, ArchiveFormat, Global};
use crate::compilation::Base;
use crate::environment::Environment;
use crate::exit::ExitStatus;
use crate::failure::CommandFailure;
use crate::settings::start_folder;

/// `bytekiln archive`.
pub(super) fn run(
    arguments: &ArchiveArguments,
    global: &Global,
    environment: &Environment,
) -> Result<ExitStatus, CommandFailure> {
    let base = Base::free(start_folder(global, environment)?);
    let packing = packing(arguments)?;
    let mut items = Vec::with_capacity(arguments.entries.len());
    for entry in &arguments.entries {
        items.push(item(entry, &base)?);
    }
    let entries = lay_out(items, Links::Relative).map_err(CommandFailure::usage)?;
    let output = base.resolve(&arguments.output)?;
    let file = PendingFile::create(&output).map_err(CommandFailure::failure)?;
    let written = write(&file, &entries, &packing, arguments)?;
    file.publish().map_err(CommandFailure::failure)?;
    for (path, digest) in
        [(&arguments.digest_file, Some(written.digest)), (&arguments.diff_id_file, written.diff_id)]
    {
        if let (Some(path), Some(digest)) = (path, digest) {
            let text = format!("sha256:{}\n", digest.to_hex());
            std::fs::write(base.resolve(path)?, text).map_err(|error| {
                CommandFailure::failure(format!("could not write `{}`: {error}", path.display()))
            })?;
        }
    }
    Ok(ExitStatus::Success)
}

/// Both containers with what each of them knows.
enum Packing {
    Zip(ZipCompression),
    Tar(TarCompression, Owner),
}

struct Written {
    digest: Digest,
    diff_id: Option<Digest>,
}

fn packing(arguments: &ArchiveArguments) -> Result<Packing, CommandFailure> {
    use {ArchiveCompression as How, ArchiveFormat as Format};
    let (user, group) = owner(&arguments.owner)?;
    let owner = Owner { user, group };
    let packing = match (arguments.format, arguments.compression) {
        (Format::Zip, Some(How::None)) => Packing::Zip(ZipCompression::Stored),
        (Format::Zip, None | Some(How::Deflate)) => {
            Packing::Zip(ZipCompression::Deflated(DeflateLevel::DEFAULT))
        }
        (Format::Tar, None | Some(How::None)) => Packing::Tar(TarCompression::None, owner),
        (Format::Tar, Some(How::Gzip)) => {
            Packing::Tar(TarCompression::Gzip(DeflateLevel::DEFAULT), owner)
        }
        (Format::Tar, Some(How::Zstd)) => {
            Packing::Tar(TarCompression::Zstd(ZstdLevel::DEFAULT), owner)
        }
        (Format::Zip, Some(How::Gzip | How::Zstd)) => {
            return Err(CommandFailure::usage("a zip has no such compression")
                .hint("it has none and deflate"));
        }
        (Format::Tar, Some(How::Deflate)) => {
            return Err(CommandFailure::usage("a tar has no such compression")
                .hint("it has none, gzip and zstd"));
        }
    };
    if matches!(packing, Packing::Zip(_)) && arguments.diff_id_file.is_some() {
        return Err(CommandFailure::usage("a zip has no diffID")
            .hint("leave --diff-id-file out, or make a tar"));
    }
    Ok(packing)
}

fn owner(text: &str) -> Result<(u32, u32), CommandFailure> {
    let parsed = text.split_once(':').and_then(|(user, group)| {
        // No sign, which `parse` would take.
        let number = |text: &str| {
            text.bytes().all(|byte| byte.is_ascii_digit()).then_some(text)?.parse().ok()
        };
        Some((number(user)?, number(group)?))
    });
    parsed.ok_or_else(|| {
        CommandFailure::usage(format!("--owner: `{text}` is no user and group"))
            .hint("they are numbers, as in 0:0")
    })
}

/// Reads `NAME=FILE`.
fn item(text: &OsStr, base: &Base) -> Result<Item, CommandFailure> {
    let wrong = |why: &str| {
        let shown = text.display();
        CommandFailure::usage(format!("`{shown}`: {why}")).hint("write NAME=FILE")
    };
    let parts: Vec<&[u8]> = text.as_bytes().split(|byte| *byte == b'=').collect();
    let [name, file] = parts.as_slice() else {
        return Err(wrong("there is one `=` in an entry"));
    };
    if file.is_empty() {
        return Err(wrong("there is no file"));
    }
    let path = RepoPath::new(name).filter(|path| !path.is_root());
    let path = path.ok_or_else(|| wrong("a name is a relative path without `.` and `..`"))?;
    let content =
        Content::File { path: base.resolve(Path::new(OsStr::from_bytes(file)))?, digest: None };
    Ok(Item { path, kind: ItemKind::File { content, executable: false } })
}

fn write(
    file: &PendingFile,
    entries: &Entries,
    packing: &Packing,
    arguments: &ArchiveArguments,
) -> Result<Written, CommandFailure> {
    let modified = arguments.modified.unwrap_or(DEFAULT_TIME);
    let jobs = arguments.jobs;
    match *packing {
        Packing::Zip(compression) => {
            let options = ZipOptions {
                compression,
                preamble: None,
                modified,
                // Not every interpreter that may import from it reads Zip64.
                zip64: false,
                folders: ZipFolders::All,
                last: None,
                jobs,
            };
            let written = write_zip(file.output(), entries, &options);
            let written = written.map_err(CommandFailure::failure)?;
            Ok(Written { digest: written.digest, diff_id: None })
        }
        Packing::Tar(compression, owner) => {
            let options = TarOptions { compression, modified, owner, jobs };
            let written = write_tar(file.output(), entries, &options);
            let written = written.map_err(CommandFailure::failure)?;
            Ok(Written { digest: written.digest, diff_id: Some(written.diff_id) })
        }
    }
}
