//! Whether two whole `.pyc` files are the same, mean the same, or where they first differ.

mod describe;
mod difference;
mod header;
mod tables;

use bytekiln_codec::{self as codec, CodeField, Limits, Object, Side, Tree};

use crate::pyc::{Pyc, ReadError, read_header};
use crate::render::Renderer;
use describe::Describer;

pub use difference::{Difference, Finding, PlaceKind};
pub use header::EncodingDifference;

/// What to compare, and how much to list.
#[derive(Debug, Clone, Copy)]
pub struct CompareOptions {
    /// Whether another recorded path (`co_filename` of the module and of all code objects that have
    /// the same) is a difference in value. By default it is one in encoding.
    pub recorded_paths: bool,
    /// The most findings that are listed beside the first.
    pub listed: usize,
    /// What to refuse.
    pub limits: Limits,
}

impl Default for CompareOptions {
    fn default() -> CompareOptions {
        CompareOptions { recorded_paths: false, listed: 16, limits: Limits::default() }
    }
}

/// What came of comparing two `.pyc` files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    /// The same bytes.
    Identical,
    /// The same code objects: equal once both are brought to the canonical form under one path and
    /// one header. What differs before, at least one thing.
    Equivalent(Vec<EncodingDifference>),
    /// Other values.
    Different(Box<Difference>),
}

/// Why two files cannot be compared: one of them is no `.pyc`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompareError {
    /// Which one.
    pub side: Side,
    /// What is wrong with it.
    pub error: ReadError,
}

/// Compares two `.pyc` files. Equality of values is that of the canonical form.
///
/// Files of the same bytes are identical whatever they are. Files of different releases differ in
/// their magic numbers, and nothing else of them is compared.
pub fn compare(
    left: &[u8],
    right: &[u8],
    options: &CompareOptions,
) -> Result<Comparison, CompareError> {
    if left == right {
        return Ok(Comparison::Identical);
    }
    let of = |side| move |error| CompareError { side, error };
    let (_, left_release) = read_header(left).map_err(of(Side::Left))?;
    let (_, right_release) = read_header(right).map_err(of(Side::Right))?;
    if left_release != right_release {
        let difference = Difference::of_releases(left_release, right_release);
        return Ok(Comparison::Different(Box::new(difference)));
    }
    let left = Pyc::read(left, &options.limits).map_err(of(Side::Left))?;
    let right = Pyc::read(right, &options.limits).map_err(of(Side::Right))?;
    let walked = codec::CompareOptions {
        recorded_paths: options.recorded_paths,
        listed: options.listed.saturating_add(1),
    };
    let found = codec::compare(&left.tree, &right.tree, &walked).map_err(|error| match error {
        codec::CompareError::Payload(side, error) => {
            CompareError { side, error: ReadError::Payload(error) }
        }
        // Not reached: the releases are equal.
        _ => CompareError { side: Side::Left, error: ReadError::NotCode },
    })?;
    let mut encoding = header::differences(&left.header, &right.header);
    if found.total == 0 {
        let paths = || [recorded_path(&left.tree), recorded_path(&right.tree)];
        encoding.extend(found.encoding.iter().map(|found| EncodingDifference::of(*found, paths)));
        return Ok(Comparison::Equivalent(encoding));
    }
    let mut describer = Describer::new(&left.tree, &right.tree, left.release);
    let findings = found.divergences.iter().map(|found| describer.finding(found));
    let mut findings = findings.collect::<Vec<Finding>>().into_iter();
    let Some(first) = findings.next() else { return Ok(Comparison::Equivalent(encoding)) };
    Ok(Comparison::Different(Box::new(Difference {
        first,
        further: findings.collect(),
        total: found.total,
        code_objects: found.differing_code_objects,
        complete: found.complete,
        fields: found.fields.into_iter().collect(),
        header: encoding,
    })))
}

/// Longest recorded path that is shown, in characters.
const PATH_WIDTH: usize = 4096;

fn recorded_path(tree: &Tree<'_>) -> String {
    match tree.get(tree.root()) {
        Object::Code(code) => {
            Renderer::new(tree, PATH_WIDTH, usize::MAX).plain_field(&code, CodeField::Filename)
        }
        _ => String::new(),
    }
}

impl std::fmt::Display for CompareError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let side = match self.side {
            Side::Left => "left",
            Side::Right => "right",
        };
        write!(f, "{side} file: {}", self.error)
    }
}

impl std::error::Error for CompareError {}
