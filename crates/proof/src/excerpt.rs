//! The instructions around a difference, both files in one column: what they share, what only the
//! one has, what only the other has. Knows nothing of colours.

use bytekiln_bytecode::Operand;
use bytekiln_codec::{CodeField, CodeObject, Limits, Object, Side, Tree};

use crate::compare::Finding;
use crate::disassembly::{Disassembly, location_at, name};
use crate::pyc::Pyc;
use crate::render::Renderer;

/// A part of two disassemblies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// Its lines, in order.
    pub lines: Vec<ExcerptLine>,
    /// Whether more differs beyond them.
    pub goes_on: bool,
}

/// Where a line is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExcerptSide {
    /// In both files.
    Both,
    /// In one of them.
    Only(Side),
    /// Lines of both are left out here.
    Gap,
}

/// An instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExcerptLine {
    /// Where it is found.
    pub side: ExcerptSide,
    /// Its offset in bytes, on the left if it is there.
    pub offset: u32,
    /// Its line in the source, if it is the first instruction of that.
    pub line: Option<i32>,
    /// `LOAD_CONST 1 (2)`.
    pub text: String,
}

/// Characters of one instruction.
const WIDTH: usize = 60;
/// Lines of an excerpt at most.
const LINES: usize = 32;
/// Cells of the table by which two sequences are aligned.
const CELLS: usize = 1 << 20;

struct Line {
    /// What makes two lines the same: the instruction and what its argument means, not the index of
    /// that or the offset of a jump.
    key: String,
    shown: ExcerptLine,
}

/// The instructions around the first difference of the two code objects of `finding`, which came
/// from comparing these two files; `context` lines around each change. `None` if the disassemblies
/// agree, or one of the files cannot be read.
pub fn excerpt(
    left: &[u8],
    right: &[u8],
    finding: &Finding,
    context: usize,
    limits: &Limits,
) -> Option<Excerpt> {
    let (left, right) = (Pyc::read(left, limits).ok()?, Pyc::read(right, limits).ok()?);
    let path =
        |side: usize| finding.code_path.iter().filter_map(move |step| step.get(side).copied());
    let lefts = lines(&left, path(0), Side::Left)?;
    let rights = lines(&right, path(1), Side::Right)?;
    let merged = merge(lefts, rights);
    let changed = |line: &ExcerptLine| line.side != ExcerptSide::Both;
    merged.iter().position(changed)?;
    // A line is shown if it is within `context` lines of a change.
    let mut near = vec![false; merged.len()];
    for (index, _) in merged.iter().enumerate().filter(|(_, line)| changed(line)) {
        let start = index.saturating_sub(context);
        near.iter_mut().skip(start).take(index - start + context + 1).for_each(|at| *at = true);
    }
    let mut shown: Vec<ExcerptLine> = Vec::new();
    let mut goes_on = false;
    let mut gap = false;
    for (line, near) in merged.into_iter().zip(near) {
        if !near {
            gap = true;
            continue;
        }
        if shown.len() >= LINES {
            goes_on |= changed(&line);
            continue;
        }
        if gap && !shown.is_empty() {
            let side = ExcerptSide::Gap;
            shown.push(ExcerptLine { side, offset: 0, line: None, text: String::new() });
        }
        gap = false;
        shown.push(line);
    }
    Some(Excerpt { lines: shown, goes_on })
}

/// The code object at the end of a path of indices into constants.
fn walk<'t>(tree: &'t Tree<'t>, path: impl Iterator<Item = u32>) -> Option<CodeObject<'t>> {
    let mut id = tree.root();
    for index in path {
        let Object::Code(code) = tree.get(tree.resolve(id)) else { return None };
        id = *code.elements(CodeField::Consts).get(index as usize)?;
    }
    match tree.get(tree.resolve(id)) {
        Object::Code(code) => Some(code),
        _ => None,
    }
}

fn lines(pyc: &Pyc<'_>, path: impl Iterator<Item = u32>, side: Side) -> Option<Vec<Line>> {
    let code = walk(&pyc.tree, path)?;
    let disassembly = Disassembly::new(code, pyc.release);
    let locations = disassembly.locations().unwrap_or_default();
    let mut renderer = Renderer::new(&pyc.tree, WIDTH, usize::MAX);
    let mut all = Vec::new();
    let mut last = None;
    for instruction in disassembly.instructions() {
        let text = disassembly.text(&instruction, &mut renderer);
        let key = match instruction.operand {
            Operand::Jump(_) | Operand::Origin(_) => name(&instruction),
            // An index shifts with each constant or name that is added; what it stands for does not.
            Operand::Const(_) | Operand::Name(..) | Operand::Local(_) | Operand::Cell(_) => {
                let meaning = disassembly.meaning(&instruction, &mut renderer);
                meaning.map_or(text.clone(), |meaning| format!("{} {meaning}", name(&instruction)))
            }
            _ => text.clone(),
        };
        let line = location_at(&locations, instruction.offset).and_then(|at| at.line);
        let first = line.filter(|_| line != last);
        last = line.or(last);
        let side = ExcerptSide::Only(side);
        let shown = ExcerptLine { side, offset: instruction.offset, line: first, text };
        all.push(Line { key, shown });
    }
    Some(all)
}

/// Aligns two sequences: a longest common subsequence, between what they begin and end with alike.
fn merge(lefts: Vec<Line>, rights: Vec<Line>) -> Vec<ExcerptLine> {
    let same = |(a, b): &(&Line, &Line)| a.key == b.key;
    let before = lefts.iter().zip(&rights).take_while(same).count();
    let rest = lefts.len().min(rights.len()) - before;
    let after = lefts.iter().rev().zip(rights.iter().rev()).take(rest).take_while(same).count();
    let (inner_left, inner_right) = (lefts.len() - before - after, rights.len() - before - after);
    let keys = |lines: &[Line], count: usize| -> Vec<String> {
        lines.iter().skip(before).take(count).map(|line| line.key.clone()).collect()
    };
    let steps = align(&keys(&lefts, inner_left), &keys(&rights, inner_right));
    let both = std::iter::repeat_n(ExcerptSide::Both, before)
        .chain(steps)
        .chain(std::iter::repeat_n(ExcerptSide::Both, after));
    let (mut lefts, mut rights) = (lefts.into_iter(), rights.into_iter());
    let mut merged = Vec::new();
    for side in both {
        let line = match side {
            ExcerptSide::Only(Side::Right) => rights.next(),
            ExcerptSide::Only(Side::Left) => lefts.next(),
            _ => {
                rights.next();
                lefts.next()
            }
        };
        merged.extend(line.map(|line| ExcerptLine { side, ..line.shown }));
    }
    merged
}

/// For two sequences, which side each line of the merged one comes from. Sequences too long for the
/// table are not aligned: all of the one, then all of the other.
fn align(left: &[String], right: &[String]) -> Vec<ExcerptSide> {
    let only_left = ExcerptSide::Only(Side::Left);
    let only_right = ExcerptSide::Only(Side::Right);
    let width = right.len() + 1;
    if left.len().saturating_mul(right.len()) > CELLS {
        let mut all = vec![only_left; left.len()];
        all.resize(left.len() + right.len(), only_right);
        return all;
    }
    // Length of the longest common subsequence of what follows each pair of places.
    let mut table = vec![0_u32; (left.len() + 1) * width];
    let at = |table: &[u32], i: usize, j: usize| table.get(i * width + j).copied().unwrap_or(0);
    for i in (0..left.len()).rev() {
        for j in (0..right.len()).rev() {
            let length = if left.get(i) == right.get(j) {
                at(&table, i + 1, j + 1) + 1
            } else {
                at(&table, i + 1, j).max(at(&table, i, j + 1))
            };
            if let Some(cell) = table.get_mut(i * width + j) {
                *cell = length;
            }
        }
    }
    let mut all = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < left.len() || j < right.len() {
        if i < left.len() && j < right.len() && left.get(i) == right.get(j) {
            all.push(ExcerptSide::Both);
            (i, j) = (i + 1, j + 1);
        } else if i < left.len()
            && (j == right.len() || at(&table, i + 1, j) >= at(&table, i, j + 1))
        {
            all.push(only_left);
            i += 1;
        } else {
            all.push(only_right);
            j += 1;
        }
    }
    all
}
