//! The codec at work as in the product, in one process on one core: `canonicalise FOLDER` reads every
//! `.pyc` below the folder, brings it to the canonical form, and puts it in the place of the old one
//! as `bytekiln normalize` does. Built and run by `cargo xtask bench`. Knows nothing of sources.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use bytekiln_artifact::{Durability, Replacer, read_file};
use bytekiln_codec::{CanonicalOptions, HEADER_LENGTH, Header, Limits, NanPolicy, canonicalize};

fn main() -> Result<()> {
    let folder = std::env::args_os().nth(1).context("usage: canonicalise FOLDER")?;
    let replacer = Replacer::new()?;
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        let entries: Vec<_> = std::fs::read_dir(&folder)?.collect::<std::io::Result<_>>()?;
        for entry in entries {
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "pyc") {
                rewrite(&path, &replacer).with_context(|| format!("`{}`", path.display()))?;
            }
        }
    }
    ensure!(replacer.finish().is_empty(), "old files could not be removed");
    Ok(())
}

/// No cache of the corpora is as large.
const LIMIT: u64 = 1 << 30;

fn rewrite(path: &Path, replacer: &Replacer) -> Result<()> {
    let read = read_file(path, LIMIT)?;
    let pyc = &read.bytes;
    let (Some(header), Some(payload)) = (pyc.get(..HEADER_LENGTH), pyc.get(HEADER_LENGTH..)) else {
        bail!("it is shorter than a header")
    };
    let release = Header::parse(header)?.release().context("an unknown magic number")?;
    let options = CanonicalOptions {
        release,
        recorded_path: path.file_name().unwrap_or_default().as_encoded_bytes(),
        nans: NanPolicy::Kept,
        limits: Limits::default(),
    };
    let canonical = canonicalize(payload, &options)?;
    let mut out = Vec::with_capacity(HEADER_LENGTH + canonical.len());
    out.extend_from_slice(header);
    out.extend_from_slice(&canonical);
    Ok(replacer.replace(path, &read.stamp, &out, Durability::Rebuildable)?)
}
