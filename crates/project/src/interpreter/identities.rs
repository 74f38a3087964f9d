//! Identities of executables, kept in the state folder by the stamps of the files that an identity
//! depends on. A fault is never kept: it is looked at again.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytekiln_action::Toolchain;

use super::InterpreterFault;
use super::probe::{LIMIT, probe};
use crate::index::{
    Reader, StateFile, Watch, Writer, prepare_state, put_stamp, put_toolchain, read_state,
    take_stamp, take_toolchain, write_state,
};
use crate::path::{bytes, from_bytes};
use crate::scan::{FileClock, file_clock};

const FILE: StateFile =
    StateFile { magic: *b"bkpython", version: 1, what: "the interpreters' identities" };

#[derive(Debug, Clone)]
struct Known {
    executable: PathBuf,
    files: Vec<Watch>,
    toolchain: Arc<Toolchain>,
    /// For this run only: a file is too young for its stamp to be trusted later.
    is_young: bool,
}

/// Identities known from before, and those asked for now.
pub(super) struct Identities {
    /// Where they are kept; `None`: nowhere.
    path: Option<PathBuf>,
    clock: FileClock,
    known: Vec<Known>,
    /// Faults met in this run, so that none is waited for twice.
    faults: Vec<(PathBuf, InterpreterFault)>,
    changed: bool,
}

impl Identities {
    pub(super) fn read(state_dir: &Path) -> Identities {
        // If it cannot be made, nothing is kept; the build will say so.
        let _ = prepare_state(state_dir);
        let path = state_dir.join("interpreters");
        // Damage costs a start of each interpreter, nothing else.
        let known = read_state(&path, FILE)
            .ok()
            .flatten()
            .and_then(|body| decode(&body))
            .unwrap_or_default();
        // Without a clock nothing is kept.
        let clock = file_clock(state_dir, Path::new("/")).unwrap_or_default();
        Identities { path: Some(path), clock, known, faults: Vec::new(), changed: false }
    }

    /// Of this run only.
    pub(super) fn unkept() -> Identities {
        let (known, faults) = (Vec::new(), Vec::new());
        Identities { path: None, clock: FileClock::default(), known, faults, changed: false }
    }

    /// Who the executable is, and the files that this depends on.
    pub(super) fn of(
        &mut self,
        executable: &Path,
    ) -> Result<(Arc<Toolchain>, Vec<Watch>), InterpreterFault> {
        if let Some((_, fault)) = self.faults.iter().find(|(path, _)| path == executable) {
            return Err(fault.clone());
        }
        if let Some(known) = self.known.iter().find(|known| known.executable == executable)
            && known.files.iter().all(Watch::holds)
        {
            return Ok((known.toolchain.clone(), known.files.clone()));
        }
        let before = Watch::take(executable.to_owned());
        let answer = probe(executable, LIMIT).inspect_err(|fault| {
            self.faults.push((executable.to_owned(), fault.clone()));
        })?;
        let files: Vec<Watch> = answer.files.into_iter().map(Watch::take).collect();
        let toolchain = Arc::new(answer.toolchain);
        self.known.retain(|known| known.executable != executable);
        let is_safe = |watch: &Watch| watch.stamp.is_some_and(|stamp| self.clock.is_safe(&stamp));
        let is_young = !files.contains(&before) || !files.iter().all(is_safe);
        self.changed |= !is_young;
        self.known.push(Known {
            executable: executable.to_owned(),
            files: files.clone(),
            toolchain: toolchain.clone(),
            is_young,
        });
        Ok((toolchain, files))
    }

    /// Keeps what was learnt. A state folder that cannot be written has been or will be told.
    pub(super) fn write(mut self) {
        let Some(path) = self.path.filter(|_| self.changed) else { return };
        self.known.retain(|known| !known.is_young);
        self.known.sort_by(|a, b| a.executable.cmp(&b.executable));
        let mut out = Writer::default();
        for known in &self.known {
            out.string(bytes(&known.executable));
            out.count(known.files.len());
            for watch in &known.files {
                out.string(bytes(&watch.path));
                put_stamp(&mut out, &watch.stamp.unwrap_or_default());
            }
            put_toolchain(&mut out, &known.toolchain);
        }
        let _ = write_state(&path, FILE, &out.bytes);
    }
}

fn decode(body: &[u8]) -> Option<Vec<Known>> {
    let mut reader = Reader::new(body);
    let mut known = Vec::new();
    while !reader.is_empty() {
        let executable = from_bytes(reader.string()?);
        let mut files = Vec::new();
        for _ in 0..reader.count()? {
            let path = from_bytes(reader.string()?);
            files.push(Watch { path, stamp: Some(take_stamp(&mut reader)?) });
        }
        let toolchain = Arc::new(take_toolchain(&mut reader)?);
        known.push(Known { executable, files, toolchain, is_young: false });
    }
    Some(known)
}
