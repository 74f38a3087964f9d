//! Which modules get bytecode when there is room for some only: those that save most for each byte.
//! Knows nothing of what a module is.

use std::cmp::Reverse;

/// Something that has a price and is worth something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Priced {
    /// What it is worth, in any unit.
    pub worth: u64,
    /// What it costs, in bytes.
    pub bytes: u64,
}

/// What to take, for at most `budget` bytes together: most worth a byte first, and what does not fit any
/// more is passed over. At worst this misses the best choice by what one item is worth. Of equals the
/// earlier is taken, so the answer is a function of the list.
pub fn spend(budget: u64, items: &[Priced]) -> Vec<bool> {
    let mut order: Vec<(usize, &Priced)> = items.iter().enumerate().collect();
    order.sort_by(|(_, a), (_, b)| {
        // a.worth / a.bytes against b.worth / b.bytes, without fractions.
        let left = u128::from(a.worth) * u128::from(b.bytes);
        let right = u128::from(b.worth) * u128::from(a.bytes);
        // What is free comes first. Without this, an item of 0 worth and 0 bytes would be equal to all others,
        // which is no order.
        let free = (b.bytes == 0).cmp(&(a.bytes == 0));
        free.then(Reverse(left).cmp(&Reverse(right)))
    });
    let mut taken = vec![false; items.len()];
    let mut left = budget;
    for (index, item) in order {
        if let (Some(rest), Some(place)) = (left.checked_sub(item.bytes), taken.get_mut(index)) {
            left = rest;
            *place = true;
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn worth(items: &[Priced], taken: &[bool]) -> u64 {
        items.iter().zip(taken).filter(|(_, taken)| **taken).map(|(item, _)| item.worth).sum()
    }

    /// By trying everything.
    fn best(budget: u64, items: &[Priced]) -> u64 {
        (0_u32..1 << items.len())
            .filter_map(|set| {
                let taken: Vec<bool> = (0..items.len()).map(|at| set >> at & 1 == 1).collect();
                let bytes: u64 =
                    items.iter().zip(&taken).filter(|(_, t)| **t).map(|(item, _)| item.bytes).sum();
                (bytes <= budget).then(|| worth(items, &taken))
            })
            .max()
            .unwrap_or(0)
    }

    #[test]
    fn most_worth_a_byte_first() {
        let items =
            [(10, 100), (30, 100), (5, 10), (7, 0)].map(|(worth, bytes)| Priced { worth, bytes });
        assert_eq!(spend(110, &items), [false, true, true, true]);
        assert_eq!(spend(0, &items), [false, false, false, true]);
        assert_eq!(spend(u64::MAX, &items), [true; 4]);
    }

    /// One that is worth nothing and costs nothing once put those beside it in any order.
    #[test]
    fn nothing_for_nothing() {
        let items = [(0, 13), (0, 40), (0, 38), (0, 0), (1, 18), (1, 18)]
            .map(|(worth, bytes)| Priced { worth, bytes });
        assert_eq!(spend(108, &items), [true, true, false, true, true, true]);
    }

    proptest! {
        #[test]
        fn near_the_best(
            budget in 0_u64..200,
            items in prop::collection::vec((0_u64..50, 0_u64..50), 0..9),
        ) {
            let items: Vec<Priced> =
                items.into_iter().map(|(worth, bytes)| Priced { worth, bytes }).collect();
            let taken = spend(budget, &items);
            let bytes: u64 =
                items.iter().zip(&taken).filter(|(_, t)| **t).map(|(item, _)| item.bytes).sum();
            prop_assert!(bytes <= budget);
            let most = items.iter().map(|item| item.worth).max().unwrap_or(0);
            prop_assert!(worth(&items, &taken) + most >= best(budget, &items));
        }
    }
}
