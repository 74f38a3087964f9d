//! A cursor over bytes that cannot run past their end.

use super::error::{DecodeError, DecodeErrorKind};

#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes, position: 0 }
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }

    pub(super) fn remaining(&self) -> usize {
        self.bytes.len() - self.position
    }

    pub(super) fn error(&self, kind: DecodeErrorKind) -> DecodeError {
        DecodeError::at(kind, self.position)
    }

    #[inline]
    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        let Some(taken) = rest.get(..length) else {
            return Err(self.error(DecodeErrorKind::Truncated));
        };
        self.position += length;
        Ok(taken)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        let Some(taken) = rest.first_chunk::<N>() else {
            return Err(self.error(DecodeErrorKind::Truncated));
        };
        self.position += N;
        Ok(*taken)
    }

    #[inline]
    pub(super) fn u8(&mut self) -> Result<u8, DecodeError> {
        Ok(self.array::<1>()?[0])
    }

    #[inline]
    pub(super) fn i32(&mut self) -> Result<i32, DecodeError> {
        Ok(i32::from_le_bytes(self.array()?))
    }

    /// A count of things that take at least one byte each: never more than is left to read, so
    /// that no count makes anyone reserve memory for what is not there.
    #[inline]
    pub(super) fn count(&mut self) -> Result<usize, DecodeError> {
        let count = self.i32()?;
        let Ok(count) = usize::try_from(count) else {
            return Err(self.error(DecodeErrorKind::NegativeLength));
        };
        self.at_most_remaining(count)
    }

    #[inline]
    pub(super) fn short_count(&mut self) -> Result<usize, DecodeError> {
        let count = usize::from(self.u8()?);
        self.at_most_remaining(count)
    }

    fn at_most_remaining(&self, count: usize) -> Result<usize, DecodeError> {
        if count > self.remaining() {
            return Err(self.error(DecodeErrorKind::Truncated));
        }
        Ok(count)
    }
}
