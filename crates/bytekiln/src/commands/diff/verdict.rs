//! What two files are to each other.

use bytekiln_action::Digest;
use bytekiln_codec::{Limits, Side};
use bytekiln_proof::{
    CompareOptions, Comparison, Difference, EncodingDifference, Excerpt, PlaceKind, compare,
    excerpt,
};

use super::Judged;
use super::pairs::{Content, Pair, Sides};

/// See the module.
pub(super) enum Verdict {
    /// The same bytes, or links to the same place.
    Identical,
    /// Two `.pyc` files, equal once both are in the canonical form.
    Equivalent(Vec<EncodingDifference>),
    /// Two `.pyc` files that are not.
    Different(Box<Difference>),
    /// Other files, or a `.pyc` and something that is none; says how they differ.
    OtherBytes {
        /// Digests of both, if both are files that were read.
        digests: Option<[Digest; 2]>,
        /// In words.
        detail: String,
    },
    /// Only on this side.
    Only(Side),
    /// One of them could not be read; the message names it.
    Unreadable(String),
}

pub(super) struct Judge<'a> {
    sides: &'a Sides,
    options: CompareOptions,
}

impl<'a> Judge<'a> {
    pub(super) fn new(sides: &'a Sides, recorded_paths: bool) -> Judge<'a> {
        let options = CompareOptions { recorded_paths, ..CompareOptions::default() };
        Judge { sides, options }
    }

    pub(super) fn pair(&self, pair: &Pair) -> Verdict {
        match (pair.left, pair.right) {
            (Some(_), None) => return Verdict::Only(Side::Left),
            (None, Some(_)) => return Verdict::Only(Side::Right),
            _ => {}
        }
        if !pair.is_pyc
            && let Some((left, right)) = self.sides.sizes(pair)
            && left != right
        {
            let detail = format!("{left} bytes on the left, {right} on the right");
            return Verdict::OtherBytes { digests: None, detail };
        }
        match self.sides.read(pair) {
            Ok((Content::Bytes(left), Content::Bytes(right))) => self.bytes(pair, &left, &right),
            Ok((Content::Link(left), Content::Link(right))) => {
                let detail = format!(
                    "link to `{}` on the left, to `{}` on the right",
                    left.escape_ascii(),
                    right.escape_ascii()
                );
                if left == right {
                    Verdict::Identical
                } else {
                    Verdict::OtherBytes { digests: None, detail }
                }
            }
            Ok((Content::Link(target), Content::Bytes(_))) => of_kinds("left", "right", &target),
            Ok((Content::Bytes(_), Content::Link(target))) => of_kinds("right", "left", &target),
            Err(message) => Verdict::Unreadable(message),
        }
    }

    fn bytes(&self, pair: &Pair, left: &[u8], right: &[u8]) -> Verdict {
        if left == right {
            return Verdict::Identical;
        }
        let mut detail = if left.len() == right.len() {
            "other bytes".to_owned()
        } else {
            format!("{} bytes on the left, {} on the right", left.len(), right.len())
        };
        if pair.is_pyc {
            match compare(left, right, &self.options) {
                Ok(Comparison::Identical) => return Verdict::Identical,
                Ok(Comparison::Equivalent(how)) => return Verdict::Equivalent(how),
                Ok(Comparison::Different(difference)) => return Verdict::Different(difference),
                Err(error) => detail = format!("{detail}, and no valid cache: {error}"),
            }
        }
        Verdict::OtherBytes { digests: Some([Digest::of(left), Digest::of(right)]), detail }
    }

    /// The instructions around what differs in each of the first `count` code objects that are
    /// told of, with their names.
    pub(super) fn excerpts(
        &self,
        judged: &Judged,
        context: usize,
        count: usize,
    ) -> Vec<(String, Excerpt)> {
        let Verdict::Different(difference) = &judged.verdict else { return Vec::new() };
        if difference.first.kind == PlaceKind::Release {
            return Vec::new();
        }
        let Ok((Content::Bytes(left), Content::Bytes(right))) = self.sides.read(&judged.pair)
        else {
            return Vec::new();
        };
        let mut told: Vec<&[[u32; 2]]> = Vec::new();
        let mut found = Vec::new();
        for finding in difference.findings() {
            if found.len() == count {
                break;
            }
            if told.contains(&finding.code_path.as_slice()) {
                continue;
            }
            told.push(&finding.code_path);
            let excerpt = excerpt(&left, &right, finding, context, &Limits::default());
            found.extend(excerpt.map(|excerpt| (finding.code_object.clone(), excerpt)));
        }
        found
    }
}

fn of_kinds(link: &str, file: &str, target: &[u8]) -> Verdict {
    let target = target.escape_ascii();
    let detail = format!("a link to `{target}` on the {link}, a file on the {file}");
    Verdict::OtherBytes { digests: None, detail }
}

impl Verdict {
    /// For lists and for machines.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Verdict::Identical => "identical",
            Verdict::Equivalent(_) => "equivalent",
            Verdict::Different(_) | Verdict::OtherBytes { .. } => "different",
            Verdict::Only(Side::Left) => "only-left",
            Verdict::Only(Side::Right) => "only-right",
            Verdict::Unreadable(_) => "unreadable",
        }
    }
}

/// How many of each.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) identical: usize,
    pub(super) equivalent: usize,
    pub(super) different: usize,
    pub(super) only_left: usize,
    pub(super) only_right: usize,
    pub(super) unreadable: usize,
}

impl Tally {
    pub(super) fn of<'v>(verdicts: impl Iterator<Item = &'v Verdict>) -> Tally {
        let mut tally = Tally::default();
        for verdict in verdicts {
            *match verdict {
                Verdict::Identical => &mut tally.identical,
                Verdict::Equivalent(_) => &mut tally.equivalent,
                Verdict::Different(_) | Verdict::OtherBytes { .. } => &mut tally.different,
                Verdict::Only(Side::Left) => &mut tally.only_left,
                Verdict::Only(Side::Right) => &mut tally.only_right,
                Verdict::Unreadable(_) => &mut tally.unreadable,
            } += 1;
        }
        tally
    }

    pub(super) fn total(&self) -> usize {
        let Tally { identical, equivalent, different, only_left, only_right, unreadable } = *self;
        identical + equivalent + different + only_left + only_right + unreadable
    }
}
