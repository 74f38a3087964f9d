//! Numbers and byte strings in little-endian order, in an envelope of magic, version, length and
//! checksum. A reader of damaged bytes says `None`; it never panics and never allocates by what it
//! read.

/// Appends values.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    pub(crate) bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn i64(&mut self, value: i64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn fixed(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(value);
    }

    /// Length, then bytes. Longer than 4 GiB cannot be: paths and labels only.
    pub(crate) fn string(&mut self, value: &[u8]) {
        let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
        self.u32(length);
        self.bytes.extend_from_slice(value.get(..length as usize).unwrap_or(value));
    }

    pub(crate) fn count(&mut self, value: usize) {
        self.u32(u32::try_from(value).unwrap_or(u32::MAX));
    }
}

/// Takes values back, in order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn remaining(&self) -> usize {
        self.rest.len()
    }

    pub(crate) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*taken)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    pub(crate) fn string(&mut self) -> Option<&'a [u8]> {
        let length = self.u32()?;
        self.take(length as usize)
    }

    pub(crate) fn count(&mut self) -> Option<usize> {
        self.u32().map(|count| count as usize)
    }
}

/// How long the envelope is.
pub(crate) const ENVELOPE: usize = 32;

/// What goes before a body of this length and checksum.
pub(crate) fn envelope(magic: [u8; 8], version: u32, length: u64, sum: u64) -> Vec<u8> {
    let mut out = Writer { bytes: Vec::with_capacity(ENVELOPE) };
    out.fixed(&magic);
    out.u32(version);
    out.u32(0);
    out.u64(length);
    out.u64(sum);
    out.bytes
}

/// Whether the envelope is whole, of this magic and version, and of this body.
pub(crate) fn is_sealed(head: &[u8], body: &[u8], magic: [u8; 8], version: u32) -> bool {
    let mut reader = Reader::new(head);
    let mut read = || {
        let fits = reader.array::<8>()? == magic && reader.u32()? == version && reader.u32()? == 0;
        let (length, sum) = (reader.u64()?, reader.u64()?);
        Some(fits && length == body.len() as u64 && sum == checksum(body))
    };
    read().unwrap_or(false)
}

fn checksum(bytes: &[u8]) -> u64 {
    let mut sum = Checksum::default();
    let rest = sum.blocks(bytes);
    sum.finish(rest)
}

/// Against accidents, not against attackers: four lanes, so that 13 MB take a few milliseconds.
/// Each step is a bijection of the lane, so a change confined to one word always shows.
#[derive(Debug)]
pub(crate) struct Checksum {
    lanes: [u64; 4],
    length: u64,
}

impl Default for Checksum {
    fn default() -> Checksum {
        Checksum { lanes: [1, 2, 3, 4], length: 0 }
    }
}

impl Checksum {
    fn step(lane: u64, word: u64) -> u64 {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        (lane ^ word).wrapping_mul(ODD).rotate_left(29)
    }

    /// Takes whole blocks from the front; the rest goes before what comes next.
    pub(crate) fn blocks<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let (blocks, rest) = bytes.as_chunks::<32>();
        for block in blocks {
            let (words, _) = block.as_chunks::<8>();
            for (lane, word) in self.lanes.iter_mut().zip(words) {
                *lane = Checksum::step(*lane, u64::from_le_bytes(*word));
            }
        }
        self.length += (bytes.len() - rest.len()) as u64;
        rest
    }

    /// The sum of all, `rest` being what is left of the last block.
    pub(crate) fn finish(self, rest: &[u8]) -> u64 {
        let mut sum = self.length + rest.len() as u64;
        for lane in self.lanes {
            sum = Checksum::step(sum, lane);
        }
        for byte in rest {
            sum = Checksum::step(sum, u64::from(*byte));
        }
        sum ^ (sum >> 32)
    }
}
