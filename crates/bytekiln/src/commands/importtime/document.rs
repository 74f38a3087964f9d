//! A measurement as the schema of `docs/importtime.md` has it: what `--format json` prints, what the page
//! holds, and what `--compare` reads. Every other form is made from this one.

use std::collections::BTreeMap;

use bytekiln_startup::Summary;
use serde::{Deserialize, Serialize};

/// Name and version of the schema.
pub(super) const SCHEMA: &str = "bytekiln-importtime/1";

/// Variants without caches, by preference.
pub(super) const WITHOUT: [&str; 2] = ["none", "zip-none"];
/// Variants with caches, by preference.
const WITH: [&str; 8] = [
    "unchecked",
    "checked",
    "timestamp",
    "tree-unchecked",
    "tree-checked",
    "zip-unchecked",
    "zip-checked",
    "as-is",
];

/// All of it. Times are microseconds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Document {
    pub(super) schema: String,
    /// Version of Bytekiln.
    pub(super) version: String,
    pub(super) program: ProgramInfo,
    pub(super) interpreter: InterpreterInfo,
    /// What `none` is without: `all`, or `program`.
    pub(super) uncached: String,
    /// Of each variant.
    pub(super) runs: usize,
    pub(super) success: bool,
    /// How the program ended, if not with status 0.
    pub(super) failure: Option<String>,
    pub(super) variants: Vec<VariantInfo>,
    /// Importers before what they import.
    pub(super) imports: Vec<ImportInfo>,
    /// Dearest first.
    pub(super) candidates: Vec<Candidate>,
    pub(super) warnings: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ProgramInfo {
    pub(super) title: String,
    pub(super) folder: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct InterpreterInfo {
    pub(super) executable: String,
    pub(super) version: String,
    pub(super) cache_tag: String,
    pub(super) optimize: u8,
    pub(super) options: Vec<String>,
}

/// Of some runs: the middle, the smallest, what the middle half lies between, and the largest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Figure {
    pub(super) median: u64,
    pub(super) least: u64,
    pub(super) lower: u64,
    pub(super) upper: u64,
    pub(super) most: u64,
}

impl From<Summary> for Figure {
    fn from(summary: Summary) -> Figure {
        let Summary { median, least, lower, upper, most } = summary;
        Figure { median, least, lower, upper, most }
    }
}

impl From<Figure> for Summary {
    fn from(figure: Figure) -> Summary {
        let Figure { median, least, lower, upper, most } = figure;
        Summary { median, least, lower, upper, most }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct VariantInfo {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) explanation: String,
    /// The whole process, in runs without a trace.
    pub(super) wall: Option<Figure>,
    pub(super) walls: Vec<u64>,
    /// All imports together, in runs with a trace.
    pub(super) importing: Option<Figure>,
    /// How many modules came from where, by [`bytekiln_startup::Origin`].
    pub(super) origins: BTreeMap<String, usize>,
    /// How many of them are in zips.
    #[serde(default)]
    pub(super) zipped: usize,
    pub(super) doctor: DoctorInfo,
}

/// How far the simulation of `doctor` and the interpreter agree.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct DoctorInfo {
    pub(super) agree: usize,
    pub(super) differ: Vec<DifferenceInfo>,
    pub(super) not_simulated: usize,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct DifferenceInfo {
    pub(super) module: String,
    pub(super) doctor: String,
    pub(super) interpreter: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ImportInfo {
    /// Null for an import that never ended.
    pub(super) name: Option<String>,
    /// Index of the importer.
    pub(super) parent: Option<usize>,
    pub(super) depth: usize,
    /// `interpreter` up to `site`, `program` after it.
    pub(super) phase: String,
    /// False: the import failed, or was of a module that was there already.
    pub(super) loaded: bool,
    pub(super) file: Option<String>,
    /// By variant: where its code came from.
    pub(super) origins: Vec<Option<String>>,
    /// By variant.
    pub(super) times: Vec<Option<TimesInfo>>,
    /// Statements that import it.
    pub(super) places: Vec<PlaceInfo>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct TimesInfo {
    #[serde(rename = "self")]
    pub(super) own: Figure,
    pub(super) cumulative: Figure,
    /// In how many runs it was.
    pub(super) runs: usize,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PlaceInfo {
    pub(super) importer: String,
    pub(super) file: String,
    pub(super) line: u32,
    /// Runs as soon as the importer is imported.
    pub(super) eager: bool,
}

/// A module without which start-up would take less time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Candidate {
    /// Index into `imports`.
    pub(super) import: usize,
    /// So much less, with the caches of `variant`.
    pub(super) saving: u64,
    /// Id of a variant.
    pub(super) variant: String,
    /// So many modules would not be loaded, itself included.
    pub(super) modules: usize,
}

impl Document {
    /// The index of a variant.
    pub(super) fn variant(&self, id: &str) -> Option<usize> {
        self.variants.iter().position(|variant| variant.id == id)
    }

    /// What is set against each other: without caches, and with the best there are.
    pub(super) fn pair(&self) -> (Option<usize>, Option<usize>) {
        let first = |ids: &[&str]| ids.iter().find_map(|id| self.variant(id));
        let without = first(&WITHOUT);
        let with = first(&WITH);
        match (without, with) {
            (None, None) => (None, (!self.variants.is_empty()).then_some(0)),
            pair => pair,
        }
    }
}
