//! Some numbers in five: the middle one, the two between which the middle half lies, the smallest and the
//! largest. Knows no units.

/// Of one figure over several runs, in the unit of the figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// The middle; of an even number, between the middle two.
    pub median: u64,
    /// The smallest.
    pub least: u64,
    /// A quarter is not larger.
    pub lower: u64,
    /// A quarter is not smaller.
    pub upper: u64,
    /// The largest.
    pub most: u64,
}

impl Summary {
    /// `None` of nothing.
    #[must_use]
    pub fn of(values: &[u64]) -> Option<Summary> {
        let mut values = values.to_vec();
        values.sort_unstable();
        let (least, most) = (*values.first()?, *values.last()?);
        Some(Summary {
            median: quarter(&values, 2),
            least,
            lower: quarter(&values, 1),
            upper: quarter(&values, 3),
            most,
        })
    }

    /// Whether no value of one is among those of the other.
    #[must_use]
    pub fn is_apart(&self, other: &Summary) -> bool {
        self.most < other.least || other.most < self.least
    }

    /// Whether the middle halves do not touch: one slow run does not blur what the others say.
    #[must_use]
    pub fn is_clear(&self, other: &Summary) -> bool {
        self.upper < other.lower || other.upper < self.lower
    }
}

/// The value at so many quarters of the way through sorted values, between two of them if need be.
fn quarter(sorted: &[u64], quarters: usize) -> u64 {
    let place = sorted.len().saturating_sub(1).saturating_mul(quarters);
    let (whole, rest) = (place / 4, place % 4);
    let low = sorted.get(whole).copied().unwrap_or(0);
    let high = sorted.get(whole.saturating_add(1)).copied().unwrap_or(low);
    let part = u64::try_from(rest).unwrap_or(0);
    low.saturating_add((high.saturating_sub(low) / 4).saturating_mul(part))
        .saturating_add((high.saturating_sub(low) % 4).saturating_mul(part) / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries() {
        for (values, expected) in [
            (&[7][..], [7, 7, 7, 7, 7]),
            (&[9, 1, 5], [1, 3, 5, 7, 9]),
            (&[9, 1, 5, 8], [1, 4, 6, 8, 9]),
            (&[5, 4, 3, 2, 1], [1, 2, 3, 4, 5]),
            (&[u64::MAX, u64::MAX], [u64::MAX; 5]),
        ] {
            let [least, lower, median, upper, most] = expected;
            assert_eq!(Summary::of(values), Some(Summary { median, least, lower, upper, most }));
        }
        assert_eq!(Summary::of(&[]), None);
    }

    #[test]
    fn apart_and_clear() {
        let of = |values: &[u64]| Summary::of(values).unwrap();
        assert!(of(&[1, 2]).is_apart(&of(&[3, 9])));
        assert!(of(&[5, 6]).is_apart(&of(&[3, 4])));
        assert!(!of(&[1, 3]).is_apart(&of(&[3, 9])));
        // One slow run.
        let (quick, slow) = (of(&[10, 10, 11, 11, 99]), of(&[20, 20, 21, 21, 22]));
        assert!(!quick.is_apart(&slow) && quick.is_clear(&slow) && slow.is_clear(&quick));
        assert!(!quick.is_clear(&of(&[11, 11, 11])));
    }
}
