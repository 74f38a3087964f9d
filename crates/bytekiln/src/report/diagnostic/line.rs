//! One source line on a terminal: characters become cells of known width, harmless ones; a long
//! line becomes a window around its marked part. Knows nothing of diagnostics and colours.

use unicode_width::UnicodeWidthChar as _;

/// More marks on one character than any script needs are a trick.
const MARKS_AT_MOST: usize = 8;
/// As `rustc` does; the position in the line does not matter, so that a caret can follow.
const TAB: &str = "    ";
/// Stands for what was cut off.
const CUT: &str = "…";

/// Part of a line, in characters from 0: `first..last`, never empty.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    /// First character.
    pub first: usize,
    /// Behind the last character; `usize::MAX` for "to the end of the line".
    pub last: usize,
}

/// What to show.
#[derive(Debug)]
pub(super) struct Excerpt {
    /// The line, or a window of it.
    pub text: String,
    /// Columns before the marked part, and columns of it (at least one).
    pub marker: Option<(usize, usize)>,
}

struct Cell {
    shown: Shown,
    width: usize,
}

#[derive(Clone, Copy)]
enum Shown {
    Itself(char),
    Text(&'static str),
}

impl Excerpt {
    /// At most `columns` columns of the first line of `text` (and one more for a caret behind it).
    pub(super) fn new(text: &str, span: Option<Span>, columns: usize) -> Excerpt {
        let line = text.split('\n').next().unwrap_or_default();
        let cells = cells(line.strip_suffix('\r').unwrap_or(line));
        let span = span.map(|span| within(&cells, span));
        let total = width(&cells);
        let (first, last) =
            if total <= columns { (0, cells.len()) } else { window(&cells, span, total, columns) };
        let mut text = String::new();
        let cut = usize::from(first > 0);
        if cut > 0 {
            text.push_str(CUT);
        }
        for cell in cells.get(first..last).unwrap_or_default() {
            match cell.shown {
                Shown::Itself(character) => text.push(character),
                Shown::Text(shown) => text.push_str(shown),
            }
        }
        if last < cells.len() {
            text.push_str(CUT);
        }
        let marker = span.map(|span| {
            let from = span.first.clamp(first, last);
            let to = span.last.clamp(from, last);
            let indent = cut + width(cells.get(first..from).unwrap_or_default());
            (indent, width(cells.get(from..to).unwrap_or_default()).max(1))
        });
        Excerpt { text, marker }
    }
}

/// The span in bounds. A part that begins with a combining mark begins with the marked character,
/// and white space at the end of a line that goes on elsewhere is not worth a mark.
fn within(cells: &[Cell], span: Span) -> Span {
    let mut first = span.first.min(cells.len());
    while first > 0 && cells.get(first).is_some_and(|cell| cell.width == 0) {
        first -= 1;
    }
    let mut last = span.last.min(cells.len());
    if span.last == usize::MAX {
        while last > first && cells.get(last - 1).is_some_and(Cell::is_blank) {
            last -= 1;
        }
    }
    Span { first, last: last.max(first) }
}

/// Which cells to show of a line that is too long: the marked part in the middle, or its beginning
/// if it is itself too long; without a marked part, the beginning of the line.
fn window(cells: &[Cell], span: Option<Span>, total: usize, columns: usize) -> (usize, usize) {
    let left = span.map_or(0, |span| {
        let before = width(cells.get(..span.first).unwrap_or_default());
        let marked = width(cells.get(span.first..span.last).unwrap_or_default()).max(1);
        let margin = (columns.saturating_sub(marked) / 2).max(columns / 4);
        before.saturating_sub(margin).min(total.saturating_sub(columns.saturating_sub(1)))
    });
    let (mut at, mut first) = (0, 0);
    while let Some(cell) = cells.get(first).filter(|cell| at < left || (at > 0 && cell.width == 0))
    {
        at += cell.width;
        first += 1;
    }
    // A column for each cut.
    let room = columns.saturating_sub(usize::from(first > 0));
    if total - at <= room {
        return (first, cells.len());
    }
    let (mut room, mut last) = (room.saturating_sub(1), first);
    while let Some(cell) = cells.get(last).filter(|cell| cell.width <= room) {
        room -= cell.width;
        last += 1;
    }
    (first, last)
}

fn width(cells: &[Cell]) -> usize {
    cells.iter().map(|cell| cell.width).sum()
}

impl Cell {
    fn is_blank(&self) -> bool {
        match self.shown {
            Shown::Itself(character) => character.is_whitespace(),
            Shown::Text(text) => text == TAB,
        }
    }
}

fn cells(line: &str) -> Vec<Cell> {
    let mut marks = 0;
    line.chars()
        .map(|character| {
            let mut cell = cell(character);
            marks = if cell.width == 0 { marks + 1 } else { 0 };
            if marks > MARKS_AT_MOST {
                cell.shown = Shown::Text("");
            }
            cell
        })
        .collect()
}

fn cell(character: char) -> Cell {
    let text = match character {
        '\t' => TAB,
        '\u{0}'..='\u{1f}' => control_picture(character),
        '\u{7f}' => "␡",
        // Joiners glue what comes apart again when the widths are added up.
        '\u{200c}' | '\u{200d}' => "",
        // C1, line and paragraph separators, directions, and what is there but cannot be seen:
        // CPython refuses the latter, and the reader should see what it means.
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'
        | '\u{200e}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => "\u{fffd}",
        _ => {
            let width = character.width().unwrap_or(0);
            return Cell { shown: Shown::Itself(character), width };
        }
    };
    Cell { shown: Shown::Text(text), width: text.chars().filter_map(|shown| shown.width()).sum() }
}

/// U+2400 and the following.
fn control_picture(character: char) -> &'static str {
    const PICTURES: [&str; 32] = [
        "␀", "␁", "␂", "␃", "␄", "␅", "␆", "␇", "␈", "␉", "␊", "␋", "␌", "␍", "␎", "␏", "␐", "␑",
        "␒", "␓", "␔", "␕", "␖", "␗", "␘", "␙", "␚", "␛", "␜", "␝", "␞", "␟",
    ];
    PICTURES.get(character as usize).copied().unwrap_or("\u{fffd}")
}

/// The text without characters that a terminal would act upon.
pub(crate) fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for cell in cells(text) {
        match cell.shown {
            Shown::Itself(character) => out.push(character),
            Shown::Text(shown) => out.push_str(shown),
        }
    }
    out
}
