//! The look at each `.pyc` that needs no interpreter: reads it and its source, checks its header, and
//! brings its payload to the canonical form, or remembers what came of that. Nothing that is read
//! here is ever given to an interpreter but sources to compile.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytekiln_action::{ActionDigest, ActionResult, Digest, Outcome, RecordedPath};
use bytekiln_cache::{ResultEntry, Store};
use bytekiln_codec::{
    CANONICAL_FORM_VERSION, CanonicalOptions, HEADER_LENGTH, Header, HeaderError, Limits,
    NanPolicy, Validation, assemble, canonicalize, source_hash,
};
use bytekiln_python::{InvalidationMode, Release};

use super::inventory::Inventory;
use super::verdict::{Divergence, DivergenceKind, NameSays, Place, Subject, Verdict};
use crate::arguments::UnprovableReason;

/// The mode in the header of both sides: which one a cache has is not what is compared.
pub(super) const MODE: InvalidationMode = InvalidationMode::CheckedHash;

/// What `co_filename` is replaced by on both sides, so that results serve every place.
const RECORDED_PATH: &[u8] = b"<bytekiln>";

/// Sources, with all of their caches, looked at together.
const CHUNK: usize = 32;

/// A cache that may come from its source.
#[derive(Debug, Clone)]
pub(super) struct Open {
    /// By index.
    pub subject: usize,
    /// Whose code it is.
    pub release: Release,
    /// Of the whole canonical `.pyc`, with [`MODE`] and `recorded_path`.
    pub canonical: Digest,
    /// Of the source.
    pub source: Digest,
    /// What `co_filename` was replaced by.
    pub recorded_path: RecordedPath,
}

/// What the first look at a cache gave.
#[derive(Debug, Clone)]
pub(super) enum Looked {
    /// All that there is to say, and the release of its header.
    Settled(Verdict, Option<Release>),
    /// Compiling will tell.
    Open(Open),
}

impl Looked {
    /// What is to be compiled.
    pub(super) fn open(&self) -> Option<&Open> {
        match self {
            Looked::Settled(..) => None,
            Looked::Open(open) => Some(open),
        }
    }
}

/// Looks at all subjects, in parallel; answers in their order. `advance` is told of each.
pub(super) fn examine(
    inventory: &Inventory,
    store: Option<&dyn Store>,
    threads: NonZeroUsize,
    cancel: &AtomicBool,
    advance: &(dyn Fn(&Subject) + Sync),
) -> Vec<Looked> {
    let mut order: Vec<usize> = (0..inventory.subjects.len()).collect();
    let source = |index: &usize| inventory.subjects.get(*index).map(|subject| &subject.source.1);
    order.sort_by_key(source);
    // All caches of one source together: it is read once.
    let groups: Vec<&[usize]> = order.chunk_by(|a, b| source(a) == source(b)).collect();
    let chunks: Vec<&[&[usize]]> = groups.chunks(CHUNK).collect();
    let looked: Mutex<Vec<(usize, Looked)>> = Mutex::default();
    let next = AtomicUsize::new(0);
    let run = || {
        while let Some(chunk) = chunks.get(next.fetch_add(1, Ordering::Relaxed)) {
            if cancel.load(Ordering::Relaxed) {
                return;
            }
            let some = look_at(inventory, store, chunk);
            for subject in some.iter().filter_map(|(index, _)| inventory.subjects.get(*index)) {
                advance(subject);
            }
            looked.lock().unwrap_or_else(PoisonError::into_inner).extend(some);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.get().min(chunks.len()) {
            scope.spawn(run);
        }
        run();
    });
    let looked = looked.into_inner().unwrap_or_else(PoisonError::into_inner);
    let interrupted = || {
        let reason = UnprovableReason::NotCompared;
        Looked::Settled(Verdict::Unprovable { reason, message: "interrupted".to_owned() }, None)
    };
    let mut answers: Vec<Looked> = inventory.subjects.iter().map(|_| interrupted()).collect();
    for (index, one) in looked {
        if let Some(answer) = answers.get_mut(index) {
            *answer = one;
        }
    }
    answers
}

/// A cache whose header is in order.
struct Pending {
    subject: usize,
    release: Release,
    pyc: Vec<u8>,
    source: Arc<Source>,
    recorded_path: RecordedPath,
    key: ActionDigest,
}

struct Source {
    bytes: Vec<u8>,
    digest: Digest,
}

fn look_at(
    inventory: &Inventory,
    store: Option<&dyn Store>,
    groups: &[&[usize]],
) -> Vec<(usize, Looked)> {
    let mut looked = Vec::new();
    let mut pending = Vec::new();
    for group in groups {
        let mut source: Option<Result<Arc<Source>, String>> = None;
        for index in *group {
            let Some(subject) = inventory.subjects.get(*index) else { continue };
            let read = |place: &Place| {
                let bytes = inventory.read(place)?;
                Ok(Arc::new(Source { digest: Digest::of(&bytes), bytes }))
            };
            match first_look(inventory, *index, subject, |place| {
                source.get_or_insert_with(|| read(place)).clone()
            }) {
                Ok(one) => pending.push(one),
                Err((verdict, release)) => {
                    looked.push((*index, Looked::Settled(verdict, release)));
                }
            }
        }
    }
    let keys: Vec<ActionDigest> = pending.iter().map(|one| one.key).collect();
    // A store that fails knows nothing; the prover will say so.
    let known = store.and_then(|store| store.get_results(&keys).ok()).unwrap_or_default();
    let mut learnt = Vec::new();
    for (place, one) in pending.into_iter().enumerate() {
        let known = known.get(place).and_then(Option::as_ref).map(|result| &result.outcome);
        let canonical = match known {
            Some(Outcome::Digested { output }) => Ok(*output),
            _ => canonical_digest(&one).inspect(|output| {
                let outcome = Outcome::Digested { output: *output };
                let result = ActionResult { outcome, warnings: Vec::new(), compile_micros: 0 };
                learnt.push(ResultEntry { action: one.key, result });
            }),
        };
        let one_looked = match canonical {
            Ok(canonical) => Looked::Open(Open {
                subject: one.subject,
                release: one.release,
                canonical,
                source: one.source.digest,
                recorded_path: one.recorded_path,
            }),
            Err(why) => {
                let message = format!("not a valid .pyc: {why}");
                let divergence = Divergence::new(DivergenceKind::Invalid, message);
                Looked::Settled(Verdict::Diverges(divergence), Some(one.release))
            }
        };
        looked.push((one.subject, one_looked));
    }
    if let Some(store) = store.filter(|_| !learnt.is_empty()) {
        // As above: what is not kept is found out again.
        let _ = store.update_results(&learnt);
    }
    looked
}

type Settled = (Verdict, Option<Release>);

fn first_look(
    inventory: &Inventory,
    index: usize,
    subject: &Subject,
    source: impl FnOnce(&Place) -> Result<Arc<Source>, String>,
) -> Result<Pending, Settled> {
    let unprovable = |reason, message: String| (Verdict::Unprovable { reason, message }, None);
    let unreadable = |message| unprovable(UnprovableReason::Unreadable, message);
    if let Some(trouble) = &subject.trouble {
        return Err(unreadable(trouble.clone()));
    }
    let (path, Some(place)) = &subject.source else {
        let message = format!("its source `{}` is not there", subject.source.0);
        return Err(unprovable(UnprovableReason::NoSource, message));
    };
    let pyc = inventory.read(&subject.place).map_err(unreadable)?;
    let header = Header::parse(&pyc).map_err(|error| {
        let message = match &error {
            HeaderError::Truncated(length) => {
                format!("not a valid .pyc: it has {length} bytes, and the header alone 16")
            }
            error => format!("not a valid .pyc: {error}"),
        };
        (Verdict::Diverges(Divergence::new(DivergenceKind::Invalid, message)), None)
    })?;
    let Some(release) = header.release() else {
        let message = unknown_release(&header, &subject.name);
        return Err(unprovable(UnprovableReason::UnknownRelease, message));
    };
    let source = source(place).map_err(unreadable)?;
    let foreign = |message: String| {
        (Verdict::Diverges(Divergence::new(DivergenceKind::Header, message)), Some(release))
    };
    if let NameSays::Tagged { tag, .. } = &subject.name
        && !is_tag_of(tag, release)
    {
        let message = format!("its name is of `{tag}`, and its content of CPython {release}");
        return Err(foreign(message));
    }
    match header.validation {
        Validation::Timestamp { size, .. } if size != truncated(source.bytes.len()) => {
            let length = source.bytes.len();
            let message =
                format!("made from another source: from {size} bytes, and `{path}` has {length}");
            return Err(foreign(message));
        }
        Validation::Hash { source_hash: recorded, .. } => {
            let actual = source_hash(release, &source.bytes);
            if recorded != actual {
                let message = format!(
                    "made from another source: its header has the hash {recorded}, and `{path}` {actual}"
                );
                return Err(foreign(message));
            }
        }
        Validation::Timestamp { .. } => {}
    }
    let payload = pyc.get(HEADER_LENGTH..).unwrap_or_default();
    let digest = Digest::of(payload);
    let recorded_path = recorded_path(payload, &digest);
    let key = key(release, &recorded_path, &digest, &source.digest);
    Ok(Pending { subject: index, release, source, recorded_path, key, pyc })
}

/// The header has 32 bits for it (PEP 552).
fn truncated(length: usize) -> u32 {
    u32::try_from(length & 0xffff_ffff).unwrap_or(u32::MAX)
}

/// `cpython-313`, and `cpython-314t` of free-threaded builds.
fn is_tag_of(tag: &str, release: Release) -> bool {
    let digits =
        tag.strip_prefix("cpython-").map(|rest| rest.trim_end_matches(char::is_alphabetic));
    digits == Some(format!("3{}", release.minor()).as_str())
}

fn unknown_release(header: &Header, name: &NameSays) -> String {
    let magic = header.magic;
    match name {
        NameSays::Tagged { tag, .. } if !tag.starts_with("cpython-") => {
            format!(
                "made by `{tag}` (magic number {magic}), and only CPython's caches can be proved"
            )
        }
        NameSays::Tagged { .. } | NameSays::Nothing => format!(
            "its magic number {magic} is of no final CPython from {} to {}",
            Release::OLDEST,
            Release::NEWEST
        ),
    }
}

/// A payload that has our path in it, by malice or because it is about us, gets one that it cannot
/// have: otherwise a function of another file name would pass for one of this file.
fn recorded_path(payload: &[u8], digest: &Digest) -> RecordedPath {
    if !contains(payload, RECORDED_PATH) {
        return RecordedPath::from_file_system(RECORDED_PATH);
    }
    RecordedPath::from_file_system(format!("<bytekiln {}>", digest.to_hex()).as_bytes())
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    let Some(first) = part.first() else { return true };
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| byte == first) {
        rest = rest.get(at..).unwrap_or_default();
        if rest.starts_with(part) {
            return true;
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    false
}

/// The canonical digest is a function of these.
fn key(
    release: Release,
    recorded_path: &RecordedPath,
    payload: &Digest,
    source: &Digest,
) -> ActionDigest {
    let mut text = format!(
        "bytekiln canonical digest 1\n{CANONICAL_FORM_VERSION}\n{release}\n{MODE}\n{payload}\n{source}\n"
    )
    .into_bytes();
    text.extend_from_slice(recorded_path.as_bytes());
    ActionDigest(Digest::of(&text).hash)
}

fn canonical_digest(one: &Pending) -> Result<Digest, String> {
    let options = CanonicalOptions {
        release: one.release,
        recorded_path: one.recorded_path.as_bytes(),
        limits: Limits::default(),
        nans: NanPolicy::Kept,
    };
    let payload = one.pyc.get(HEADER_LENGTH..).unwrap_or_default();
    let canonical = canonicalize(payload, &options).map_err(|error| error.to_string())?;
    let hash = source_hash(one.release, &one.source.bytes);
    Ok(Digest::of(&assemble(one.release, MODE, hash, &canonical)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_cannot_have_the_path_that_replaces_its_own() {
        for (payload, plain) in [
            (&b"abc"[..], true),
            (b"<<bytekiln", true),
            (b"x<<bytekiln>y", false),
            (b"<bytekiln>", false),
        ] {
            let path = recorded_path(payload, &Digest::of(payload));
            assert_eq!(path.as_bytes() == RECORDED_PATH, plain);
            assert!(!contains(payload, path.as_bytes()));
        }
    }

    #[test]
    fn tags_of_releases() {
        let release = Release::from_minor(13).unwrap_or(Release::NEWEST);
        assert!(is_tag_of("cpython-313", release) && is_tag_of("cpython-313t", release));
        assert!(!is_tag_of("cpython-31", release) && !is_tag_of("pypy313", release));
    }
}
