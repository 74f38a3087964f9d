//! The real interpreters as oracles: each disassembles its own standard library with `dis`, and
//! some code and tables that no compiler writes. A slice of the library by default, all of it with
//! `BYTEKILN_FULL=1`.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says which interpreters it used"
)]

mod records;

use bytekiln_bytecode::{
    Instruction, Location, Operand, code_flags, handlers, instructions, locations,
};
use bytekiln_python::Release;
use bytekiln_test_support::pythons;
use records::{Record, Records};

/// Files of each standard library that are compiled by default.
const FILES: usize = 60;

fn check_release(minor: u8) {
    let release = Release::from_minor(minor).expect("a known release");
    let Some(python) = pythons::all().iter().find(|python| python.version == (3, minor)) else {
        // Only these can be installed everywhere; the others are used where they are.
        if minor == 11 || minor >= 13 {
            pythons::skip(&format!("needs CPython 3.{minor}"));
        } else {
            eprintln!("skipped: no interpreter of Python 3.{minor} was found");
        }
        return;
    };
    let full = std::env::var_os("BYTEKILN_FULL").is_some_and(|value| value == "1");
    let mut records = Records::start(&python.path, if full { 0 } else { FILES });
    let (mut codes, mut count) = (0, 0);
    while let Some(record) = records.next() {
        count += check_code(release, &record);
        codes += 1;
    }
    let mut strange = 0;
    while let Some(record) = records.next() {
        let [code, expect] = record.as_slice() else { panic!("a record of two lists") };
        let found = instructions(release, &code[0]).filter(|one| one.name != Some("EXTENDED_ARG"));
        let found: Vec<String> = found.map(|one| head(&one)).collect();
        assert_eq!(found, texts(expect), "{:02x?}", code[0]);
        strange += 1;
    }
    records.finish();
    println!(
        "{}: {codes} code objects, {count} instructions, {strange} strange ones",
        python.name()
    );
    assert!(codes > 500 && (minor < 10 || strange > 100));
}

/// Compares all of a code object; how many instructions it has.
fn check_code(release: Release, record: &Record) -> usize {
    let [facts, consts, names, locals, cells, expect, lines, positions, rows, flags] =
        record.as_slice()
    else {
        panic!("a record of ten lists")
    };
    let label = text(&facts[0]);
    let (code, table, exceptions) = (&facts[1], &facts[2], &facts[4]);
    let first_line = text(&facts[3]).parse().expect("a line");

    let found: Vec<Instruction> = instructions(release, code).collect();
    assert_eq!(found.len(), expect.len(), "{label}");
    let tuples = Tuples { minor: release.minor(), consts, names, locals, cells };
    let mut end = 0;
    for (one, expect) in found.iter().zip(expect) {
        let meaning: String = tuples.meaning(one).chars().take(60).collect();
        assert_eq!(format!("{} {meaning}", head(one)), text(expect), "{label}: {one:?}");
        assert_eq!(one.start, end, "{label}");
        end = one.end;
    }
    assert_eq!(end as usize, code.len(), "{label}");

    let found_locations = locations(release, table, first_line, code.len())
        .unwrap_or_else(|error| panic!("{label}: {error}"));
    check_locations(release, &found_locations, code.len(), lines, positions, &label);

    let found = handlers(exceptions).unwrap_or_else(|error| panic!("{label}: {error}"));
    let found = found.iter().map(|row| {
        let lasti = u8::from(row.push_lasti);
        format!("{} {} {} {} {lasti}", row.start, row.end, row.target, row.depth)
    });
    assert_eq!(found.collect::<Vec<_>>(), texts(rows), "{label}");

    let mut found = code_flags(release, text(&facts[5]).parse().expect("flags"));
    found.retain(|name| !name.starts_with("FUTURE_"));
    assert_eq!(found, texts(flags), "{label}");
    expect.len()
}

fn check_locations(
    release: Release,
    found: &[Location],
    length: usize,
    lines: &[Vec<u8>],
    positions: &[Vec<u8>],
    label: &str,
) {
    let mut end = 0;
    for location in found {
        assert!(location.start == end && location.end > end, "{label}: {location:?}");
        end = location.end;
    }
    assert_eq!(end as usize, length, "{label}");
    if release.minor() < 10 {
        let starts = found.iter().map(|one| format!("{} {}", one.start, show(one.line)));
        assert_eq!(starts.collect::<Vec<_>>(), texts(lines), "{label}");
        return;
    }
    let units = |one: &Location| (one.end - one.start) as usize / 2;
    let mut found_lines = Vec::new();
    let mut found_positions = Vec::new();
    for one in found {
        found_lines.extend(vec![show(one.line); units(one)]);
        let line = format!("{} {}", show(one.line), show(one.end_line));
        let position = format!("{line} {} {}", show(one.column), show(one.end_column));
        found_positions.extend(vec![position; units(one)]);
    }
    assert_eq!(found_lines, texts(lines), "{label}");
    if release.minor() > 10 {
        assert_eq!(found_positions, texts(positions), "{label}");
    }
}

/// What the indices of operands lead into.
struct Tuples<'a> {
    minor: u8,
    consts: &'a [Vec<u8>],
    names: &'a [Vec<u8>],
    locals: &'a [Vec<u8>],
    cells: &'a [Vec<u8>],
}

impl Tuples<'_> {
    /// As `dis` of the release shows it.
    fn meaning(&self, instruction: &Instruction) -> String {
        let at = |tuple: &[Vec<u8>], index: u32| text(&tuple[index as usize]);
        match instruction.operand {
            Operand::Const(index) => at(self.consts, index),
            Operand::Name(index, flag)
                if flag.is_none() || self.names[index as usize].is_empty() =>
            {
                at(self.names, index)
            }
            Operand::Name(index, Some(flag)) if self.minor < 13 => {
                format!("{flag} + {}", at(self.names, index))
            }
            Operand::Name(index, flag) => {
                format!("{} + {}", at(self.names, index), flag.unwrap_or_default())
            }
            Operand::Local(index) => at(self.locals, index),
            Operand::LocalPair(first, second) => {
                format!("{}, {}", at(self.locals, first), at(self.locals, second))
            }
            Operand::Cell(index) => at(self.cells, index),
            Operand::Jump(target) => format!("to {}", show(target)),
            Operand::Origin(target) => format!("from {}", show(target)),
            // Before 3.14 `dis` does not say it.
            Operand::Selected("is" | "is not" | "in" | "not in")
                if self.minor < 14 && instruction.name != Some("COMPARE_OP") =>
            {
                String::new()
            }
            Operand::Selected(choice) => choice.to_owned(),
            Operand::None | Operand::Number(_) | Operand::SmallInt(_) => String::new(),
            other => panic!("{other:?} is not compared"),
        }
    }
}

/// Offsets, name and argument.
fn head(one: &Instruction) -> String {
    let name = one.name.unwrap_or("?");
    let argument = one.argument.map(|argument| argument.to_string()).unwrap_or_default();
    format!("{} {} {name} {argument}", one.start, one.offset)
}

/// As Python shows it.
fn show<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "None".to_owned(), |value| value.to_string())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn texts(items: &[Vec<u8>]) -> Vec<String> {
    items.iter().map(|item| text(item)).collect()
}

macro_rules! releases {
    ($($name:ident: $minor:literal,)*) => {
        $(#[test]
        fn $name() {
            check_release($minor);
        })*
    };
}

releases! {
    python_3_8: 8,
    python_3_9: 9,
    python_3_10: 10,
    python_3_11: 11,
    python_3_12: 12,
    python_3_13: 13,
    python_3_14: 14,
    python_3_15: 15,
}
