//! A table as a sequence of bytes that knows where it stands. Knows no format of table.

use crate::instruction::TableError;

/// Reads a table from its beginning.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    table: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(table: &'a [u8]) -> Reader<'a> {
        Reader { table, at: 0 }
    }

    /// How many bytes were read.
    pub(crate) fn offset(&self) -> usize {
        self.at
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.at >= self.table.len()
    }

    pub(crate) fn byte(&mut self) -> Result<u8, TableError> {
        let byte = self.table.get(self.at).copied().ok_or_else(|| self.error(CUT_OFF))?;
        self.at += 1;
        Ok(byte)
    }

    /// What is wrong at the byte that comes next.
    pub(crate) fn error(&self, problem: &'static str) -> TableError {
        TableError { offset: self.at, problem }
    }
}

const CUT_OFF: &str = "the last entry is cut off";
