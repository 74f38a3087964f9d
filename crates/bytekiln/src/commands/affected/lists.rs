//! What is affected and there, for other tools: one name or path a line, or ended by NUL.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use bytekiln_action::RepoPath;

use super::Answer;
use super::human::plain;
use super::touched::source;
use crate::arguments::AffectedBy;
use crate::commands::deps::seen_from;

/// Dotted names of modules (the path of one that no import can find), or names of members.
pub(super) fn names(answer: &Answer<'_>) -> Vec<u8> {
    match answer.arguments.by {
        AffectedBy::Module => {
            let touched = answer.touched;
            let there = answer.modules.iter().filter(|module| !touched.is_gone(module.module));
            let name = |id| match answer.arguments.null {
                true => touched.open.name(id),
                // One line each, whatever the name.
                false => plain(&touched.open.name(id)),
            };
            let mut names: Vec<String> = there.map(|module| name(module.module)).collect();
            names.sort();
            // Two members may have a module of one name.
            names.dedup();
            ended(answer, names.iter().map(String::as_bytes))
        }
        AffectedBy::Member => {
            ended(answer, answer.members.iter().map(|member| member.name.as_bytes()))
        }
        AffectedBy::File | AffectedBy::Artifact => paths(answer),
    }
}

/// Files of modules, folders of members, or outputs, as seen from the current folder.
pub(super) fn paths(answer: &Answer<'_>) -> Vec<u8> {
    let open = &answer.touched.open;
    let start = open.start.canonicalize().unwrap_or_else(|_| open.start.clone());
    let below = |path: &RepoPath| open.workspace.root.join(OsStr::from_bytes(path.as_bytes()));
    let paths: Vec<PathBuf> = match answer.arguments.by {
        AffectedBy::Module | AffectedBy::File => {
            let touched = answer.touched;
            let there = answer.modules.iter().filter(|module| !touched.is_gone(module.module));
            there.filter_map(|module| source(open, module.module)).map(below).collect()
        }
        AffectedBy::Member => answer.members.iter().map(|member| below(&member.folder)).collect(),
        AffectedBy::Artifact => {
            let artifacts = answer.artifacts.iter().flatten().filter(|artifact| !artifact.is_gone);
            artifacts.map(|it| it.root.join(OsStr::from_bytes(it.path.as_bytes()))).collect()
        }
    };
    let mut paths: Vec<PathBuf> = paths.iter().map(|path| seen_from(&start, path)).collect();
    paths.sort();
    ended(answer, paths.iter().map(|path| path.as_os_str().as_bytes()))
}

fn ended<'a>(answer: &Answer<'_>, lines: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let end = if answer.arguments.null { b'\0' } else { b'\n' };
    let mut out = Vec::new();
    for line in lines {
        out.extend_from_slice(if line.is_empty() { b"." } else { line });
        out.push(end);
    }
    out
}
