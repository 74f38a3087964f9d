//! Some numbers in three: the middle one, the smallest, the largest. Knows no units.

/// Of one figure over several runs, in the unit of the figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// The middle; of an even number, between the middle two.
    pub median: u64,
    /// The smallest.
    pub least: u64,
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
        let middle = values.len() / 2;
        let high = values.get(middle).copied().unwrap_or(most);
        let low = values.get(middle.saturating_sub(1)).copied().unwrap_or(least);
        let median = if values.len().is_multiple_of(2) { low.midpoint(high) } else { high };
        Some(Summary { median, least, most })
    }

    /// Whether two figures are apart by more than their spreads: no value of one is among those of the
    /// other.
    #[must_use]
    pub fn is_apart(&self, other: &Summary) -> bool {
        self.most < other.least || other.most < self.least
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries() {
        for (values, expected) in [
            (&[7][..], (7, 7, 7)),
            (&[9, 1, 5], (5, 1, 9)),
            (&[9, 1, 5, 8], (6, 1, 9)),
            (&[u64::MAX, u64::MAX], (u64::MAX, u64::MAX, u64::MAX)),
        ] {
            let (median, least, most) = expected;
            assert_eq!(Summary::of(values), Some(Summary { median, least, most }));
        }
        assert_eq!(Summary::of(&[]), None);
    }

    #[test]
    fn apart() {
        let of = |values: &[u64]| Summary::of(values).unwrap();
        assert!(of(&[1, 2]).is_apart(&of(&[3, 9])));
        assert!(of(&[5, 6]).is_apart(&of(&[3, 4])));
        assert!(!of(&[1, 3]).is_apart(&of(&[3, 9])));
    }
}
