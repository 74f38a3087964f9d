//! All bytecode in one file, to be embedded (`docs/blob.md`). Knows nothing of how it was chosen.

use std::collections::BTreeSet;
use std::path::Path;

use bytekiln_action::{Digest, RepoPath};
use bytekiln_artifact::PendingFile;
use bytekiln_assembly::FileKind;
use bytekiln_blob::{Blob, Entry, Target, WriteError, Writer};

use super::Packing;
use super::assembled::{Made, described, packed};
use super::gather::{Candidate, Home};
use super::outcome::Packed;
use super::write::{Pending, published};
use crate::failure::CommandFailure;

/// A module that is in the blob.
struct Module<'a> {
    name: String,
    package: bool,
    candidate: &'a Candidate,
    digest: Digest,
}

/// Writes, reads back, publishes.
pub(super) fn pack(
    packing: &Packing<'_>,
    made: &Made<'_>,
    out: &Path,
) -> Result<Packed, CommandFailure> {
    let mut packed = packed(packing, made, out);
    // A blob has no sources to fall back on.
    packed.warnings.extend(
        made.chosen
            .rejected
            .iter()
            .map(|place| format!("`{place}` does not compile, and is not in it")),
    );
    let modules = modules(made)?;
    if let Some(parent) = out.parent() {
        std::fs::create_dir_all(parent).map_err(|error| {
            CommandFailure::failure(format!("could not make `{}`: {error}", parent.display()))
        })?;
    }
    let file = PendingFile::create(out).map_err(|error| published(&error))?;
    write(made, &modules, &file, &mut packed)?;
    read_back(file.path(), out, &modules)?;
    let digest = bytekiln_artifact::digest_file(file.path())
        .map_err(|error| CommandFailure::failure(&error))?;
    packing.publish(made, out, Vec::new(), Pending::File(file, digest), packed)
}

/// By name, as a blob wants them.
fn modules<'a>(made: &'a Made<'_>) -> Result<Vec<Module<'a>>, CommandFailure> {
    let mut modules: Vec<Module<'_>> = Vec::new();
    let candidates = made.gathered.candidates.iter().zip(&made.chosen.choices).enumerate();
    for (index, (candidate, choice)) in candidates {
        if candidate.kind != FileKind::Module || !choice.bytecode {
            continue;
        }
        let Some(digest) = made.output(index, 0) else { continue };
        if let Some((name, package)) = module_name(&candidate.place) {
            modules.push(Module { name, package, candidate, digest });
        }
    }
    // The same file from two places, as empty `__init__.py` of namespace packages, is one file.
    modules.sort_by(|a, b| a.name.cmp(&b.name));
    modules.dedup_by(|a, b| {
        a.name == b.name
            && a.package == b.package
            && a.candidate.digest == b.candidate.digest
            && a.candidate.place == b.candidate.place
    });
    for pair in modules.windows(2) {
        if let [one, other] = pair
            && one.name == other.name
        {
            return Err(CommandFailure::failure(format!(
                "the module `{}` would be there twice: {} and {}",
                one.name,
                described(Some(one.candidate), ""),
                described(Some(other.candidate), "")
            ))
            .hint("leave one out with `exclude` or `members`"));
        }
    }
    Ok(modules)
}

/// `a.b` of `a/b.py`; a package of `a/b/__init__.py`.
fn module_name(place: &RepoPath) -> Option<(String, bool)> {
    let text = place.as_str()?.strip_suffix(".py")?;
    let (name, package) = match text.strip_suffix("/__init__") {
        Some(package) => (package, true),
        None => (text, false),
    };
    Some((name.replace('/', "."), package))
}

fn write(
    made: &Made<'_>,
    modules: &[Module<'_>],
    file: &PendingFile,
    packed: &mut Packed,
) -> Result<(), CommandFailure> {
    let Some(target) = made.targets.all.first() else { return Ok(()) };
    let toolchain = &target.compiler.toolchain;
    let shape = Target {
        magic_number: toolchain.release.magic(),
        cache_tag: &toolchain.cache_tag,
        optimization: target.level.as_u8(),
    };
    let failed = |error: WriteError<std::io::Error>| match error {
        WriteError::Entry(error) => CommandFailure::failure(error),
        WriteError::Sink(error) => CommandFailure::failure(format!(
            "`{}` could not be written: {error}",
            packed.path.display()
        )),
    };
    let mut out = std::io::BufWriter::with_capacity(1 << 18, file.output().file);
    let sink = |bytes: &[u8]| std::io::Write::write_all(&mut out, bytes);
    let mut writer = Writer::new(&shape, sink).map_err(&failed)?;
    let (mut sources, mut others, mut bytes, mut cache_bytes) = (0, 0, 0, 0);
    for module in modules {
        let pyc = made.objects.bytes(&module.digest)?;
        cache_bytes += pyc.len() as u64;
        let entry = Entry::Module {
            name: &module.name,
            package: module.package,
            pyc: &pyc,
            origin: module.candidate.place.as_str(),
        };
        writer.add(&entry).map_err(&failed)?;
    }
    let read = |candidate: &Candidate| candidate.read().map_err(CommandFailure::failure);
    if made.rule.embed_source {
        // Nobody asks for the source of what was made here.
        for module in modules.iter().filter(|module| module.candidate.home != Home::Made) {
            let text = read(module.candidate)?;
            (sources, bytes) = (sources + 1, bytes + text.len() as u64);
            writer.add(&Entry::Source { name: &module.name, text: &text }).map_err(&failed)?;
        }
    }
    let packages: BTreeSet<&str> =
        modules.iter().filter_map(|module| module.name.split('.').next()).collect();
    for candidate in made.gathered.candidates.iter().filter(|one| one.kind == FileKind::Data) {
        let Some(path) = candidate.place.as_str() else { continue };
        // Data of packages without a module in the blob is nobody's.
        let Some((top, _)) = path.split_once('/') else { continue };
        if !packages.contains(top) && !top.ends_with(".dist-info") {
            continue;
        }
        let data = read(candidate)?;
        (others, bytes) = (others + 1, bytes + data.len() as u64);
        writer.add(&Entry::Data { path, bytes: &data }).map_err(&failed)?;
    }
    writer.finish().map_err(&failed)?;
    std::io::Write::flush(&mut out).map_err(|error| failed(WriteError::Sink(error)))?;
    (packed.sources, packed.others, packed.caches) = (sources, others, modules.len());
    (packed.bytes, packed.cache_bytes) = (bytes + cache_bytes, cache_bytes);
    Ok(())
}

/// Each module must come back as it went in.
fn read_back(path: &Path, shown: &Path, modules: &[Module<'_>]) -> Result<(), CommandFailure> {
    let failed = |what: String| {
        CommandFailure::failure(format!("`{}`, read back, {what}", shown.display()))
            .hint("nothing was published; the disk or the memory of this machine may be faulty")
    };
    let bytes = std::fs::read(path).map_err(|error| failed(format!("cannot be read: {error}")))?;
    let blob = Blob::parse(&bytes).map_err(|error| failed(error.to_string()))?;
    for module in modules {
        let found = blob.find(&module.name);
        let pyc = found.and_then(|found| found.pyc().ok());
        if pyc.is_none_or(|pyc| Digest::of(pyc) != module.digest) {
            return Err(failed(format!("holds another `{}` than was written", module.name)));
        }
    }
    Ok(())
}
