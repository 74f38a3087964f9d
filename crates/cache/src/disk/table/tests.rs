//! Golden bytes of a table, look-ups, and what damage costs.

use expect_test::expect;
use proptest::prelude::*;

use super::*;

fn key(number: u32) -> ActionDigest {
    let mut key = [0; 32];
    key[..4].copy_from_slice(&number.to_be_bytes());
    ActionDigest(key)
}

/// Results 0, 2, 4, …, so that the odd keys are not there.
fn encode(count: u32) -> Vec<u8> {
    let results: Vec<(u32, Vec<u8>)> =
        (0..count).map(|number| (2 * number, (2 * number).to_be_bytes().to_vec())).collect();
    encode_table(results.iter().map(|(number, result)| Record {
        action: key(*number),
        recorded: 1,
        result,
    }))
}

fn open(bytes: &[u8]) -> (bytekiln_test_support::Scratch, Result<Table, TableError>) {
    let folder = bytekiln_test_support::Scratch::new();
    let path = folder.path().join("table");
    std::fs::write(&path, bytes).unwrap();
    let table = Table::open(&path);
    (folder, table)
}

fn ask(table: &Table, numbers: &[u32]) -> (Vec<u32>, usize) {
    let asked: Vec<_> = numbers.iter().map(|n| key(*n)).zip(0..).collect();
    let mut found = Vec::new();
    let damaged = table
        .look_up(&asked, |position, record| {
            assert_eq!(record.result, numbers[position].to_be_bytes());
            found.push(numbers[position]);
        })
        .unwrap();
    (found, damaged)
}

#[test]
fn golden() {
    let hex: Vec<String> = encode(1)
        .chunks(16)
        .map(|line| line.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" "))
        .collect();
    expect![[r#"
        62 6b 72 65 73 75 6c 74 01 00 00 00 02 00 00 00
        b7 6b 72 01 7b e2 60 36 15 c2 03 7b 2c 00 00 00
        00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        00 00 00 00 00 00 00 00 00 00 00 00 10 00 00 00
        00 00 00 00 3c 00 00 00 4c 00 00 00 00 00 00 00
        01 00 00 00 28 2a 3a 01 3b 94 2e 26 62 6b 69 6e
        64 65 78 31"#]]
    .assert_eq(&hex.join("\n"));
}

#[test]
fn finds_what_is_there_and_nothing_else() {
    for count in [0, 1, 63, 64, 65, 1000] {
        let (_folder, table) = open(&encode(count));
        let table = table.unwrap();
        let all: Vec<u32> = (0..2 * count + 3).collect();
        let even: Vec<u32> = (0..count).map(|number| 2 * number).collect();
        assert_eq!(ask(&table, &all), (even.clone(), 0));
        for number in [0, 1, 2, 126, 127, 128, 129, 130, u32::MAX] {
            let wanted = even.iter().copied().filter(|even| *even == number).collect();
            assert_eq!(ask(&table, &[number]), (wanted, 0));
        }
        assert_eq!(ask(&table, &[0, 0]).0.len(), if count > 0 { 2 } else { 0 });
        let mut seen = 0;
        assert_eq!(table.each(|_| seen += 1).unwrap(), 0);
        assert_eq!(seen, count);
    }
}

#[test]
fn another_version_is_foreign() {
    let mut bytes = encode(3);
    bytes[8] = 2;
    assert!(matches!(open(&bytes).1, Err(TableError::Foreign)));
}

proptest! {
    #[test]
    fn a_flip_loses_one_record_or_the_index(at in any::<usize>(), bit in 0_u8..8) {
        let mut bytes = encode(200);
        let at = HEADER_LENGTH + at % (bytes.len() - HEADER_LENGTH);
        bytes[at] ^= 1 << bit;
        let even: Vec<u32> = (0..200).map(|number| 2 * number).collect();
        match open(&bytes).1 {
            Ok(table) => {
                let (found, damaged) = ask(&table, &even);
                prop_assert_eq!(found.len(), 199);
                prop_assert!(damaged > 0);
            }
            Err(TableError::Damaged) => {
                let mut found = 0;
                read_records(&bytes[HEADER_LENGTH..], |_| found += 1);
                prop_assert_eq!(found, 200);
            }
            Err(error) => prop_assert!(false, "{:?}", error),
        }
    }

    #[test]
    fn a_cut_is_noticed(cut in any::<usize>()) {
        let bytes = encode(100);
        let cut = cut % bytes.len();
        prop_assert!(open(&bytes[..cut]).1.is_err());
    }
}
