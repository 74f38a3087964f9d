//! Any bytes decode to something or to an error, and what they decode to is whole.

use bytekiln_bytecode::{Handler, Operand, handlers, instructions, locations};
use bytekiln_python::Release;
use proptest::collection::vec;
use proptest::prelude::{any, proptest};

use crate::samples::{FIRST_LINE, samples};

/// Instructions follow each other without gaps to the end of the code.
fn check_instructions(release: Release, code: &[u8]) -> usize {
    let (mut end, mut count) = (0, 0);
    for one in instructions(release, code) {
        assert_eq!(one.start, end);
        assert!(one.start <= one.offset && one.offset < one.end);
        assert_eq!(one.argument.is_none(), one.operand == Operand::None);
        assert_eq!(one.opcode, code[one.offset as usize]);
        end = one.end;
        count += 1;
    }
    assert_eq!(end as usize, code.len());
    count
}

/// So do locations; an error lies within the table.
fn check_locations(release: Release, table: &[u8], first_line: i32, length: usize) {
    match locations(release, table, first_line, length) {
        Ok(found) => {
            let mut end = 0;
            for one in &found {
                assert!(one.start == end && one.end > end);
                end = one.end;
            }
            assert_eq!(end as usize, length);
        }
        Err(error) => assert!(error.offset <= table.len(), "{error}"),
    }
}

fn check_handlers(table: &[u8]) {
    match handlers(table) {
        Ok(rows) => assert!(rows.len() <= table.len() / 4),
        Err(error) => assert!(error.offset <= table.len(), "{error}"),
    }
}

proptest! {
    #[test]
    fn any_bytes(code in vec(any::<u8>(), 0..400), first_line: i32, length in 0_usize..4000) {
        for release in Release::all() {
            check_instructions(release, &code);
            check_locations(release, &code, first_line, length);
        }
        check_handlers(&code);
    }

    #[test]
    fn handlers_come_back(rows in vec(
        (0_u32..1 << 30, 0_u32..1 << 20, 0_u32..1 << 30, 0_u32..1 << 31, any::<bool>()), 0..20,
    )) {
        let rows: Vec<Handler> = rows
            .into_iter()
            .map(|(start, length, target, depth, push_lasti)| Handler {
                start: 2 * start,
                end: 2 * (start + length),
                target: 2 * target,
                depth,
                push_lasti,
            })
            .collect();
        let table: Vec<u8> = rows.iter().flat_map(encode).collect();
        assert_eq!(handlers(&table), Ok(rows));
    }
}

fn encode(row: &Handler) -> Vec<u8> {
    let lasti = u32::from(row.push_lasti);
    let numbers =
        [row.start / 2, (row.end - row.start) / 2, row.target / 2, row.depth << 1 | lasti];
    let mut bytes = Vec::new();
    for number in numbers {
        let groups = (u32::BITS - number.leading_zeros()).div_ceil(6).max(1);
        for group in (0..groups).rev() {
            let more = if group > 0 { 0x40 } else { 0 };
            bytes.push((number >> (6 * group) & 0x3f) as u8 | more);
        }
    }
    bytes[0] |= 0x80;
    bytes
}

type Check<'a> = &'a dyn Fn(&[u8]);

/// Every byte of real tables replaced by every other, and every prefix of them.
#[test]
fn flips_and_prefixes() {
    for sample in samples() {
        let release = sample.release;
        let checks: [(&[u8], Check<'_>); 3] = [
            (&sample.code, &|bytes| _ = check_instructions(release, bytes)),
            (&sample.locations, &|bytes| {
                check_locations(release, bytes, FIRST_LINE, sample.code.len());
            }),
            (&sample.handlers, &|bytes| check_handlers(bytes)),
        ];
        for (bytes, check) in checks {
            for index in 0..bytes.len() {
                check(&bytes[..index]);
                let mut changed = bytes.to_vec();
                for value in 0..=255 {
                    changed[index] = value;
                    check(&changed);
                }
            }
        }
    }
}

/// A long chain of prefixes is one instruction, whose argument wraps.
#[test]
fn endless_prefixes() {
    for (minor, prefix) in [(8, 144), (11, 144), (12, 144), (13, 71), (14, 69)] {
        let release = Release::from_minor(minor).expect("a known release");
        let code = [prefix, 7].repeat(1 << 19);
        let found: Vec<_> = instructions(release, &code).collect();
        let [one] = found.as_slice() else { panic!("{} instructions", found.len()) };
        assert_eq!(one.name, Some("EXTENDED_ARG"), "3.{minor}");
        assert_eq!((one.start, one.argument), (0, Some(0x0707_0707)));
    }
}

/// Caches that the code ends before, and half an instruction.
#[test]
fn code_cut_off() {
    for sample in samples() {
        for end in 0..sample.code.len() {
            let whole = check_instructions(sample.release, &sample.code);
            let part = check_instructions(sample.release, &sample.code[..end]);
            assert!(part <= whole);
        }
    }
}

/// The deepest jump back leads nowhere instead of beyond an end.
#[test]
fn jumps_before_the_beginning() {
    let release = Release::from_minor(12).expect("a known release");
    let code = [140, 200, 140, 1];
    let targets: Vec<Operand> = instructions(release, &code).map(|one| one.operand).collect();
    assert_eq!(targets, [Operand::Jump(None), Operand::Jump(Some(2))]);
}

/// Tables of many entries take no more than their length; here each byte is an entry.
#[test]
fn long_tables() {
    let release = Release::from_minor(13).expect("a known release");
    let table = vec![0x80 | 15 << 3; 1 << 20];
    let found = locations(release, &table, 1, 2 << 20).expect("locations");
    assert_eq!(found.len(), 1 << 20);
    let lines = [1_u8, 1].repeat(1 << 20);
    for minor in [8, 10] {
        let release = Release::from_minor(minor).expect("a known release");
        check_locations(release, &lines, 1, 1 << 20);
    }
}
