//! The order of the elements of a frozenset: that of their own canonical forms, compared as bytes.
//! It depends on the elements alone, not on where the set stands.

use super::values::{ValueId, Values};
use super::write::Writer;
use crate::marshal::DecodeErrorKind;

/// Work left for ordering and comparing elements of sets, in bytes written. Elements are written
/// once for each set that they are in, and may share parts; without a bound the payload could ask
/// for work exponential in its length.
pub(super) struct Budget(usize);

impl Budget {
    pub(super) fn new(payload_bytes: usize) -> Budget {
        Budget(payload_bytes.saturating_mul(16).max(16 << 20))
    }

    pub(super) fn left(&self) -> usize {
        self.0
    }

    pub(super) fn spend(&mut self, bytes: usize) -> Result<(), DecodeErrorKind> {
        self.0 = self.0.checked_sub(bytes).ok_or(DecodeErrorKind::SetTooComplex)?;
        Ok(())
    }
}

pub(super) struct SetOrder {
    pub(super) budget: Budget,
    writer: Writer,
}

impl SetOrder {
    pub(super) fn new(payload_bytes: usize) -> SetOrder {
        SetOrder { budget: Budget::new(payload_bytes), writer: Writer::new() }
    }

    /// Sorts the elements of a frozenset. Only NaNs of the same bits can tie; they stay as they
    /// were.
    pub(super) fn sort(
        &mut self,
        values: &Values<'_>,
        elements: &mut [ValueId],
    ) -> Result<(), DecodeErrorKind> {
        if elements.len() < 2 {
            return Ok(());
        }
        let mut buffer = Vec::new();
        let mut keys = Vec::with_capacity(elements.len());
        for element in elements.iter() {
            let start = buffer.len();
            self.writer.write_alone(values, *element, &mut buffer, &mut self.budget)?;
            keys.push((start, buffer.len(), *element));
        }
        let key = |start: usize, end: usize| buffer.get(start..end).unwrap_or_default();
        keys.sort_by(|a, b| key(a.0, a.1).cmp(key(b.0, b.1)));
        for (element, (_, _, sorted)) in elements.iter_mut().zip(keys) {
            *element = sorted;
        }
        Ok(())
    }
}
