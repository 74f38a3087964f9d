//! Golden bytes of a journal, and what damage costs.

use expect_test::expect;
use proptest::prelude::*;

use super::*;

fn journal(count: u8) -> (Vec<u8>, Vec<usize>) {
    let mut bytes = Vec::new();
    let mut ends = Vec::new();
    for number in 0..count {
        let result = vec![number; usize::from(number) * 3 % 20];
        let record = Record { action: ActionDigest([number; 32]), recorded: 7, result: &result };
        assert!(append_record(&mut bytes, &record));
        ends.push(bytes.len());
    }
    (bytes, ends)
}

fn keys(bytes: &[u8]) -> (Vec<u8>, ReadReport) {
    let mut keys = Vec::new();
    let report = read_records(bytes, |record| {
        let number = record.action.0[0];
        assert_eq!(record.action.0, [number; 32]);
        assert_eq!(record.result, vec![number; usize::from(number) * 3 % 20]);
        keys.push(number);
    });
    (keys, report)
}

#[test]
fn golden() {
    let mut bytes = header(FileKind::Journal).to_vec();
    let record = Record { action: ActionDigest([0x11; 32]), recorded: 0x0102, result: b"result" };
    assert!(append_record(&mut bytes, &record));
    let hex: Vec<String> = bytes
        .chunks(16)
        .map(|line| line.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" "))
        .collect();
    expect![[r#"
        62 6b 72 65 73 75 6c 74 01 00 00 00 01 00 00 00
        b7 6b 72 01 70 8f 4c 41 44 a0 ab 0c 2e 00 00 00
        11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11
        11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11
        02 01 00 00 00 00 00 00 72 65 73 75 6c 74"#]]
    .assert_eq(&hex.join("\n"));
}

#[test]
fn a_result_that_is_too_large_is_refused() {
    let mut out = Vec::new();
    let result = vec![0; MAX_PAYLOAD];
    let record = Record { action: ActionDigest([0; 32]), recorded: 0, result: &result };
    assert!(!append_record(&mut out, &record));
    assert!(out.is_empty());
}

#[test]
fn marks_without_end_are_read_in_reasonable_time() {
    // Each mark claims a length that is there, so each costs a hash of almost everything.
    let mut bytes = Vec::new();
    for _ in 0..20_000 {
        bytes.extend_from_slice(&MARK);
        bytes.extend_from_slice(&[0; 8]);
        bytes.extend_from_slice(&100_000_u32.to_le_bytes());
    }
    assert_eq!(read_records(&bytes, |_| unreachable!()).consumed, 0);
}

proptest! {
    #[test]
    fn a_cut_loses_only_what_is_behind_it(count in 0_u8..30, cut in any::<usize>()) {
        let (bytes, ends) = journal(count);
        let cut = cut % (bytes.len() + 1);
        let whole = ends.iter().filter(|end| **end <= cut).count();
        let (found, report) = keys(&bytes[..cut]);
        prop_assert_eq!(found, (0..u8::try_from(whole).unwrap()).collect::<Vec<_>>());
        prop_assert_eq!(report.damaged, 0);
        prop_assert_eq!(report.consumed, whole.checked_sub(1).map_or(0, |last| ends[last]));
    }

    #[test]
    fn a_flip_loses_only_the_record_that_it_is_in(
        count in 1_u8..30, at in any::<usize>(), bit in 0_u8..8,
    ) {
        let (mut bytes, ends) = journal(count);
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        let hit = ends.iter().position(|end| at < *end).unwrap();
        let wanted: Vec<u8> = (0..count).filter(|key| usize::from(*key) != hit).collect();
        prop_assert_eq!(keys(&bytes).0, wanted);
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut marked = MARK.to_vec();
        marked.extend_from_slice(&bytes);
        read_records(&bytes, |_| {});
        read_records(&marked, |_| {});
    }
}
