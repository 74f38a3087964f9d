//! From a measurement to the document: one tree, medians, origins, places, and what is worth making lazy.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytekiln_startup::{Origin, Profile, Row, Summary, savings};

use super::document::{
    Candidate, DifferenceInfo, DoctorInfo, Document, Figure, ImportInfo, InterpreterInfo,
    PlaceInfo, ProgramInfo, SCHEMA, TimesInfo, VariantInfo,
};
use super::measure::{Measured, Measurement};
use super::observed::{MAIN, Observed, Place};
use super::program::Program;

/// What else the document says.
pub(super) struct Heading<'a> {
    pub(super) program: &'a Program,
    pub(super) optimize: u8,
    pub(super) options: Vec<String>,
    pub(super) uncached: &'a str,
    pub(super) ignore_failure: bool,
}

/// Statements of a module that are kept; the rest are many and alike.
const MOST_PLACES: usize = 20;
/// Savings below this share of all imports of the program are no advice.
const WORTH_SHARE: u64 = 100;
/// Nor are those of less than this, in microseconds.
const WORTH_LEAST: u64 = 500;
const MOST_CANDIDATES: usize = 25;

/// Puts it together.
pub(super) fn assemble(
    measurement: &Measurement,
    observed: &Observed,
    heading: &Heading<'_>,
) -> Document {
    let traces: Vec<_> = measurement.variants.iter().map(|one| one.traces.clone()).collect();
    let profile = Profile::new(&traces);
    let first_of_program = first_of_program(&profile.rows);
    let imports: Vec<ImportInfo> = profile
        .rows
        .iter()
        .enumerate()
        .map(|(at, row)| {
            let phase = if at < first_of_program { "interpreter" } else { "program" };
            import(row, phase, measurement, observed)
        })
        .collect();
    let toolchain = &heading.program.interpreter.toolchain;
    let mut document = Document {
        schema: SCHEMA.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        program: ProgramInfo {
            title: heading.program.title.clone(),
            folder: heading.program.folder.display().to_string(),
        },
        interpreter: InterpreterInfo {
            executable: heading.program.interpreter.executable.display().to_string(),
            version: toolchain.version.clone(),
            cache_tag: toolchain.cache_tag.clone(),
            optimize: heading.optimize,
            options: heading.options.clone(),
        },
        uncached: heading.uncached.to_owned(),
        runs: measurement.runs,
        success: measurement.failure.is_none() || heading.ignore_failure,
        failure: measurement.failure.map(super::process::End::sentence),
        variants: measurement.variants.iter().map(variant).collect(),
        imports,
        candidates: Vec::new(),
        warnings: warnings(measurement),
    };
    document.candidates = candidates(&document, observed);
    document
}

fn micros(time: &Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn variant(measured: &Measured) -> VariantInfo {
    let walls: Vec<u64> = measured.walls.iter().map(micros).collect();
    let importing: Vec<u64> = measured
        .traces
        .iter()
        .map(|trace| {
            let roots = trace.imports.iter().filter(|import| import.parent.is_none());
            roots.fold(0_u64, |sum, import| sum.saturating_add(import.cumulative))
        })
        .collect();
    let differing = measured.agreement.differing.iter();
    VariantInfo {
        id: measured.variant.id().to_owned(),
        title: measured.variant.title().to_owned(),
        explanation: measured.variant.explanation().to_owned(),
        wall: Summary::of(&walls).map(Figure::from),
        walls,
        importing: Summary::of(&importing).map(Figure::from),
        origins: Origin::ALL
            .into_iter()
            .map(|origin| (origin.word().to_owned(), measured.verbose.count(origin)))
            .filter(|(_, count)| *count > 0)
            .collect(),
        zipped: measured.verbose.zipped(),
        doctor: DoctorInfo {
            agree: measured.agreement.agreed,
            differ: differing
                .map(|(module, doctor, interpreter)| DifferenceInfo {
                    module: module.clone(),
                    doctor: (*doctor).to_owned(),
                    interpreter: (*interpreter).to_owned(),
                })
                .collect(),
            not_simulated: measured.agreement.unknown,
        },
    }
}

/// Where the program's own imports begin: after `site`, the last that the interpreter imports by itself.
fn first_of_program(rows: &[Row]) -> usize {
    let is_root = |name: &str| rows.iter().rposition(|row| row.depth == 0 && row.name == name);
    let last = is_root("site").or_else(|| {
        // Without `site` (`-S`, `-I -S`) these come last.
        ["io", "encodings.latin_1", "encodings.utf_8", "encodings"].into_iter().find_map(is_root)
    });
    let Some(last) = last else { return 0 };
    let after = rows.iter().skip(last.saturating_add(1)).position(|row| row.depth == 0);
    after.map_or(rows.len(), |after| last.saturating_add(1).saturating_add(after))
}

fn import(row: &Row, phase: &str, measurement: &Measurement, observed: &Observed) -> ImportInfo {
    let loaded = |measured: &Measured| measured.verbose.modules.get(&row.name).cloned();
    let found: Vec<_> = measurement.variants.iter().map(loaded).collect();
    let file = found.iter().flatten().find_map(|loaded| loaded.file.clone());
    let places = observed.importers.get(&row.name).into_iter().flatten();
    ImportInfo {
        name: (!row.name.is_empty()).then(|| row.name.clone()),
        parent: row.parent,
        depth: row.depth,
        phase: phase.to_owned(),
        // The last time is the one that succeeded, if any did; earlier ones failed.
        loaded: found.iter().any(Option::is_some),
        file,
        origins: found
            .iter()
            .map(|loaded| loaded.as_ref().map(|loaded| loaded.origin.word().to_owned()))
            .collect(),
        times: row
            .times
            .iter()
            .map(|times| {
                times.map(|times| TimesInfo {
                    own: times.own.into(),
                    cumulative: times.cumulative.into(),
                    runs: times.runs,
                })
            })
            .collect(),
        places: places.take(MOST_PLACES).map(place).collect(),
    }
}

pub(super) fn place(place: &Place) -> PlaceInfo {
    PlaceInfo {
        importer: place.importer.clone(),
        file: place.file.display().to_string(),
        line: place.line,
        eager: place.eager,
    }
}

fn warnings(measurement: &Measurement) -> Vec<String> {
    let mut warnings = measurement.problems.clone();
    let traces = || measurement.variants.iter().flat_map(|one| &one.traces);
    let most =
        |count: fn(&bytekiln_startup::Trace) -> usize| traces().map(count).max().unwrap_or(0);
    let others = most(|trace| trace.others);
    if others > 0 {
        warnings
            .push(format!("{others} more interpreters were started; their imports are left out"));
    }
    let overlapping = most(|trace| trace.overlapping);
    if overlapping > 0 {
        warnings.push(format!(
            "{overlapping} imports overlap in time: threads or forked processes imported too, and who \
             imported whom may be wrong there"
        ));
    }
    let unfinished = most(|trace| trace.unfinished);
    if unfinished > 0 {
        warnings.push(format!("{unfinished} imports had not ended when the process did"));
    }
    let damaged = most(|trace| trace.damaged);
    if damaged > 0 {
        warnings
            .push(format!("{damaged} lines of the interpreter were mixed with others, and lost"));
    }
    for one in &measurement.variants {
        if let Some((module, doctor, interpreter)) = one.agreement.differing.first() {
            warnings.push(format!(
                "{}: of {} modules `doctor` says something else than the interpreter does, such as \
                 `{module}`: {doctor} against {interpreter}",
                one.variant.title(),
                one.agreement.differing.len()
            ));
        }
    }
    warnings
}

/// Modules that nothing else needs at start, dearest first.
fn candidates(document: &Document, observed: &Observed) -> Vec<Candidate> {
    let (_, Some(variant)) = document.pair() else { return Vec::new() };
    let Some(id) = document.variants.get(variant).map(|variant| variant.id.clone()) else {
        return Vec::new();
    };
    let mut nodes: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, import) in document.imports.iter().enumerate() {
        if let (Some(name), true) = (&import.name, import.loaded) {
            nodes.entry(name).or_insert(at);
        }
    }
    let count = document.imports.len();
    let costs: Vec<u64> = document
        .imports
        .iter()
        .map(|import| {
            import.times.get(variant).copied().flatten().map_or(0, |times| times.own.median)
        })
        .chain([0])
        .collect();
    // The program itself comes after the last import.
    let main = count;
    let node = |name: &str| if name == MAIN { Some(main) } else { nodes.get(name).copied() };
    let mut edges: Vec<(usize, usize)> =
        observed.edges.iter().filter_map(|(from, to)| Some((node(from)?, node(to)?))).collect();
    let mut roots = vec![main];
    for (at, import) in document.imports.iter().enumerate() {
        match (import.parent, &*import.phase) {
            (_, "interpreter") => roots.push(at),
            (Some(parent), _) => edges.push((parent, at)),
            (None, _) => edges.push((main, at)),
        }
    }
    let saved = savings(&costs, &edges, &roots);
    let counted: Vec<u64> = vec![1; costs.len()];
    let numbers = savings(&counted, &edges, &roots);
    let of_program = |(_, import): &(usize, &ImportInfo)| import.phase == "program";
    let whole: u64 = document
        .imports
        .iter()
        .enumerate()
        .filter(of_program)
        .filter_map(|(at, _)| costs.get(at))
        .sum();
    let least = (whole / WORTH_SHARE).max(WORTH_LEAST);
    let mut candidates: Vec<Candidate> = document
        .imports
        .iter()
        .enumerate()
        .filter(of_program)
        .filter_map(|(at, import)| {
            let (saving, above) = saved.get(at).copied()?;
            let name = import.name.as_deref().filter(|_| import.loaded)?;
            let above = above.and_then(|above| document.imports.get(above)?.name.as_deref());
            let worth = saving >= least && !is_the_program(saving, whole, import);
            (worth && is_from_outside(name, above, import)).then(|| Candidate {
                import: at,
                saving,
                variant: id.clone(),
                modules: numbers
                    .get(at)
                    .and_then(|(modules, _)| usize::try_from(*modules).ok())
                    .unwrap_or(1),
            })
        })
        .collect();
    candidates.sort_by_key(|candidate| std::cmp::Reverse(candidate.saving));
    let mut seen: BTreeSet<usize> = BTreeSet::new();
    candidates.retain(|candidate| seen.insert(candidate.import));
    candidates.truncate(MOST_CANDIDATES);
    candidates
}

/// Some other top-level package imports it: within a package, modules load each other.
fn is_from_outside(name: &str, above: Option<&str>, import: &ImportInfo) -> bool {
    let top = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    let own = top(name);
    let importers = import.places.iter().filter(|place| place.eager);
    let mut importers = importers.map(|place| top(&place.importer)).peekable();
    // Nobody changes the standard library, and one eager import of it is enough.
    if import.places.iter().any(|place| place.eager && is_library(&place.file)) {
        return false;
    }
    if importers.peek().is_some() {
        importers.any(|importer| importer != own)
    } else {
        above.is_none_or(|above| top(above) != own)
    }
}

/// Whether a file is of the standard library, by its place.
fn is_library(file: &str) -> bool {
    let below = file.rsplit_once("/lib/python3.").and_then(|(_, rest)| rest.split_once('/'));
    below.is_some_and(|(_, rest)| {
        !rest.starts_with("site-packages/") && !rest.starts_with("dist-packages/")
    })
}

/// Most of the program comes by it, and the program itself imports it: it is the program.
fn is_the_program(saving: u64, whole: u64, import: &ImportInfo) -> bool {
    let by_main = import.parent.is_none() || import.places.iter().any(|one| one.importer == MAIN);
    by_main && saving > whole / 2
}
