//! Where lists are cut, and which bytes are no bundle.

use bytekiln_action::Digest;
use bytekiln_test_support::store_conformance::{action, compiled, rejected};

use super::*;

fn actions(numbers: Range<u64>) -> Vec<ActionDigest> {
    numbers.map(action).collect()
}

fn pieces(actions: &[ActionDigest]) -> Vec<&[ActionDigest]> {
    cut(actions).into_iter().map(|piece| &actions[piece]).collect()
}

#[test]
fn pieces_are_neither_small_nor_large() {
    assert_eq!(cut(&actions(0..63)), []);
    assert_eq!(pieces(&actions(0..64)), [actions(0..64)]);
    assert_eq!(cut(&[ActionDigest([1; 32]); 1100]), [0..1024, 1024..1100]);
    assert_eq!(cut(&[ActionDigest([0; 32]); 150]), [0..64, 64..128]);
    let all = actions(0..20_000);
    let pieces = pieces(&all);
    assert!(pieces.len() > 40 && pieces.len() < 100, "{}", pieces.len());
    assert!(pieces.iter().map(|piece| piece.len()).sum::<usize>() > 19_900);
}

#[test]
fn a_change_leaves_what_is_far_from_it() {
    let all = actions(0..20_000);
    let before = pieces(&all);
    let mut changed = all.clone();
    changed.insert(10_000, action(77_777));
    changed[10_010] = action(77_778);
    changed.remove(10_020);
    changed.pop();
    let after = pieces(&changed);
    let lost = before.iter().filter(|piece| !after.contains(piece)).count();
    assert!((1..=6).contains(&lost), "{lost} of {} pieces", before.len());
}

#[test]
fn results_come_back_and_other_bytes_are_none() {
    let asked = actions(0..80);
    let mut bundle = Bundle::new(&asked, None);
    assert_eq!(bundle.to_keep(), None, "nothing is known");
    for (number, action) in asked.iter().enumerate().take(50) {
        let result = match number % 7 {
            0 => rejected("no"),
            _ => compiled(Digest::of(&[number as u8])),
        };
        bundle.learn(*action, &result);
        assert_eq!(bundle.to_keep().is_some(), number >= 39, "half of it is worth keeping");
    }
    let bytes = bundle.to_keep().unwrap();
    let read = Bundle::new(&asked, Some(&bytes));
    assert_eq!(read.results, bundle.results);
    assert_eq!(read.to_keep(), None, "the server has it");
    let mut again = Bundle::new(&asked, Some(&bytes));
    again.learn(asked[3], &compiled(Digest::of(&[3])));
    assert_eq!(again.to_keep(), None, "nothing new");
    again.learn(asked[3], &compiled(Digest::of(b"another")));
    assert!(again.to_keep().is_some());

    let is_none = |bytes: &[u8], asked: &[ActionDigest]| decode(bytes, asked).is_none();
    for end in 0..bytes.len() {
        assert!(is_none(&bytes[..end], &asked), "cut at {end}");
    }
    assert!(is_none(&[&bytes[..], b"\0"].concat(), &asked));
    assert!(is_none(&[&[2], &bytes[1..]].concat(), &asked), "another version");
    assert!(is_none(&vec![1; LARGEST + 1], &asked));
    let many = [&[1][..], &u32::MAX.to_le_bytes(), &bytes[5..]].concat();
    assert!(is_none(&many, &asked), "more than there are");
    // Of other actions, in another order, twice.
    assert!(is_none(&bytes, &asked[1..]));
    assert!(is_none(&bytes, &actions(100..180)));
    let turned: Vec<ActionDigest> = asked.iter().rev().copied().collect();
    assert!(is_none(&bytes, &turned));
    let result = compiled(Digest::of(b"x"));
    assert!(decode(&encode(&[(&asked[1], &result)]), &asked).is_some());
    assert!(is_none(&encode(&[(&asked[1], &result), (&asked[1], &result)]), &asked));
}

/// Golden: who reads other bytes needs another version.
#[test]
fn the_bytes() {
    let result = compiled(Digest { hash: [2; 32], size: 3 });
    let bytes = encode(&[(&ActionDigest([1; 32]), &result)]);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    expect_test::expect!["0101000000010101010101010101010101010101010101010101010101010101010101010136000000010002020202020202020202020202020202020202020202020202020202020202020300000000000000000000000900000000000000"].assert_eq(&hex);
}
