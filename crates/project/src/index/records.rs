//! What the last build of a profile left: one record a slot, with the stamp of the output that it
//! wrote. Folders that outputs lie in are kept by path, since their numbers are given anew by
//! every load. Knows nothing of what is wanted now.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytekiln_action::{CompileFlags, RecordedPath, RepoPath, Toolchain, ToolchainDigest};
use bytekiln_planner::{OutputPath, Record, Recorded, RootId, Slot};
use bytekiln_python::{InvalidationMode, OptimizationLevel, Release};

use super::encoding::{Reader, Writer};
use super::files::{put_digest, put_stamp, take_digest, take_stamp};
use super::{Damage, StateError, StateFile, read_state, write_state};
use crate::path::{bytes, from_bytes};
use crate::scan::Stamp;

const FILE: StateFile = StateFile { magic: *b"bkrecord", version: 1, what: "the record file" };

/// A record and the stamp of its output, if one was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredRecord {
    pub(crate) record: Record,
    pub(crate) stamp: Option<Stamp>,
}

/// All records of a profile, by slot.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Records {
    /// Folders of outputs; number 0 is the workspace. Those in the workspace are kept relative to
    /// it, so that a moved workspace keeps its records.
    pub(crate) roots: Vec<PathBuf>,
    pub(crate) records: Vec<StoredRecord>,
}

impl Records {
    pub(crate) fn read(path: &Path) -> Result<Records, Damage> {
        let Some(body) = read_state(path, FILE)? else { return Ok(Records::default()) };
        Ok(decode(&body).unwrap_or_default())
    }

    pub(crate) fn write(&self, path: &Path) -> Result<(), StateError> {
        write_state(path, FILE, &encode(self))
    }
}

fn encode(records: &Records) -> Vec<u8> {
    let mut toolchains: Vec<(ToolchainDigest, &Toolchain)> = records
        .records
        .iter()
        .map(|stored| (stored.record.toolchain_digest, &*stored.record.toolchain))
        .collect();
    toolchains.sort_by_key(|(digest, _)| *digest);
    toolchains.dedup_by_key(|(digest, _)| *digest);
    let mut out = Writer::default();
    out.count(records.roots.len());
    for root in &records.roots {
        out.string(bytes(root));
    }
    out.count(toolchains.len());
    for (_, toolchain) in &toolchains {
        put_toolchain(&mut out, toolchain);
    }
    for StoredRecord { record, stamp } in &records.records {
        match &record.slot {
            Slot::Output(output) => {
                out.u8(0);
                out.u32(u32::from(output.root.0));
                out.string(output.path.as_bytes());
            }
            Slot::Check(source, tag, level) => {
                out.u8(1);
                out.string(source.as_bytes());
                out.string(tag.as_bytes());
                out.u8(level.as_u8());
            }
        }
        out.string(record.source.as_bytes());
        put_digest(&mut out, &record.content);
        out.string(record.recorded_path.as_bytes());
        let at = toolchains.binary_search_by_key(&record.toolchain_digest, |(digest, _)| *digest);
        out.count(at.unwrap_or_default());
        out.u8(record.level.as_u8());
        out.u8(match record.mode {
            InvalidationMode::CheckedHash => 3,
            InvalidationMode::UncheckedHash => 1,
        });
        out.u8(u8::from(record.flags.debug_ranges));
        out.u32(record.canonical_form);
        match &record.result {
            Recorded::Written(digest) => {
                out.u8(0);
                put_digest(&mut out, digest);
            }
            Recorded::Checked => out.u8(1),
            Recorded::Rejected => out.u8(2),
        }
        out.u32(record.warnings);
        out.u8(u8::from(stamp.is_some()));
        if let Some(stamp) = stamp {
            put_stamp(&mut out, stamp);
        }
    }
    out.bytes
}

fn decode(body: &[u8]) -> Option<Records> {
    let mut reader = Reader::new(body);
    let mut roots = Vec::new();
    for _ in 0..reader.count()? {
        roots.push(from_bytes(reader.string()?));
    }
    let mut toolchains = Vec::new();
    for _ in 0..reader.count()? {
        let toolchain = take_toolchain(&mut reader)?;
        toolchains.push((toolchain.digest(), Arc::new(toolchain)));
    }
    let mut records = Vec::new();
    while !reader.is_empty() {
        let slot = match reader.u8()? {
            0 => {
                let root = u16::try_from(reader.u32()?).ok()?;
                roots.get(usize::from(root))?;
                Slot::Output(OutputPath { root: RootId(root), path: path(&mut reader)? })
            }
            1 => Slot::Check(path(&mut reader)?, text(&mut reader)?, level(&mut reader)?),
            _ => return None,
        };
        let source = path(&mut reader)?;
        let content = take_digest(&mut reader)?;
        let recorded_path = RecordedPath::from_marshal_bytes(reader.string()?);
        let (toolchain_digest, toolchain) = toolchains.get(reader.count()?)?.clone();
        let level = level(&mut reader)?;
        let mode = match reader.u8()? {
            3 => InvalidationMode::CheckedHash,
            1 => InvalidationMode::UncheckedHash,
            _ => return None,
        };
        let flags = CompileFlags { debug_ranges: flag(&mut reader)? };
        let canonical_form = reader.u32()?;
        let result = match reader.u8()? {
            0 => Recorded::Written(take_digest(&mut reader)?),
            1 => Recorded::Checked,
            2 => Recorded::Rejected,
            _ => return None,
        };
        let warnings = reader.u32()?;
        let stamp = if flag(&mut reader)? { Some(take_stamp(&mut reader)?) } else { None };
        let record = Record {
            slot,
            source,
            content,
            recorded_path,
            toolchain,
            toolchain_digest,
            level,
            mode,
            flags,
            canonical_form,
            result,
            warnings,
        };
        records.push(StoredRecord { record, stamp });
    }
    Some(Records { roots, records })
}

fn path(reader: &mut Reader<'_>) -> Option<RepoPath> {
    RepoPath::new(reader.string()?)
}

fn text(reader: &mut Reader<'_>) -> Option<String> {
    String::from_utf8(reader.string()?.to_vec()).ok()
}

fn level(reader: &mut Reader<'_>) -> Option<OptimizationLevel> {
    OptimizationLevel::from_u8(reader.u8()?)
}

fn flag(reader: &mut Reader<'_>) -> Option<bool> {
    match reader.u8()? {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

pub(crate) fn put_toolchain(out: &mut Writer, toolchain: &Toolchain) {
    out.u8(toolchain.release.minor());
    for text in [
        &toolchain.implementation,
        &toolchain.version,
        &toolchain.build,
        &toolchain.cache_tag,
        &toolchain.platform,
    ] {
        out.string(text.as_bytes());
    }
    out.u8(u8::from(toolchain.free_threaded));
    out.u8(u8::from(toolchain.debug));
}

pub(crate) fn take_toolchain(reader: &mut Reader<'_>) -> Option<Toolchain> {
    Some(Toolchain {
        release: Release::from_minor(reader.u8()?)?,
        implementation: text(reader)?,
        version: text(reader)?,
        build: text(reader)?,
        cache_tag: text(reader)?,
        platform: text(reader)?,
        free_threaded: flag(reader)?,
        debug: flag(reader)?,
    })
}
