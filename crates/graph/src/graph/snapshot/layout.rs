//! Flat arrays of little-endian numbers, and strings in one piece. Knows nothing of graphs.

/// Writes arrays one after the other.
pub(super) struct Writer<'sink> {
    block: Vec<u8>,
    sink: &'sink mut dyn FnMut(&[u8]),
}

/// So many bytes go out at once.
const BLOCK: usize = 1 << 16;

/// In an array of two bytes a number: it did not fit, and follows in full after the array.
const WIDE: u16 = u16::MAX;

impl<'sink> Writer<'sink> {
    pub(super) fn new(sink: &'sink mut dyn FnMut(&[u8])) -> Writer<'sink> {
        Writer { block: Vec::with_capacity(2 * BLOCK), sink }
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.block.extend_from_slice(bytes);
        self.give_if_full();
    }

    fn give_if_full(&mut self) {
        if self.block.len() >= BLOCK {
            (self.sink)(&self.block);
            self.block.clear();
        }
    }

    pub(super) fn number(&mut self, number: u32) {
        self.bytes(&number.to_le_bytes());
    }

    /// How many of something: numbers of nodes and edges have four bytes, so this has too.
    pub(super) fn count(&mut self, count: usize) {
        self.number(u32::try_from(count).unwrap_or(u32::MAX));
    }

    pub(super) fn numbers(&mut self, numbers: &[u32]) {
        self.all(numbers, |number| number.to_le_bytes());
    }

    /// A number of each item. Many at once, in room that is made before.
    pub(super) fn all<T, const SIZE: usize>(
        &mut self,
        items: &[T],
        number: impl Fn(&T) -> [u8; SIZE],
    ) {
        for some in items.chunks(BLOCK / SIZE) {
            let start = self.block.len();
            self.block.resize(start + some.len() * SIZE, 0);
            let room = self.block.get_mut(start..).unwrap_or_default();
            for (place, item) in room.as_chunks_mut::<SIZE>().0.iter_mut().zip(some) {
                *place = number(item);
            }
            self.give_if_full();
        }
    }

    /// Numbers that are mostly small, in lists.
    pub(super) fn narrow<'a, T: 'a>(
        &mut self,
        lists: impl Iterator<Item = &'a [T]>,
        number: impl Fn(&T) -> u32,
    ) {
        let narrow = |item: &T| u16::try_from(number(item)).unwrap_or(WIDE);
        let mut wide = Vec::new();
        for list in lists {
            self.all(list, |item| narrow(item).to_le_bytes());
            wide.extend(list.iter().filter(|item| narrow(item) == WIDE).map(&number));
        }
        self.numbers(&wide);
    }

    /// Strings: where each ends, then all.
    pub(super) fn texts<'a>(&mut self, texts: impl Iterator<Item = &'a [u8]> + Clone) {
        let mut end = 0_usize;
        for text in texts.clone() {
            end = end.saturating_add(text.len());
            self.count(end);
        }
        for text in texts {
            self.bytes(text);
        }
    }

    pub(super) fn finish(self) {
        (self.sink)(&self.block);
    }
}

/// Reads what [`Writer`] wrote. Nothing is allocated that the bytes do not hold.
pub(super) struct Reader<'bytes>(&'bytes [u8]);

/// Strings in one piece.
pub(super) struct Texts<'bytes> {
    pub(super) bytes: &'bytes [u8],
    ends: Vec<u32>,
}

impl<'bytes> Reader<'bytes> {
    pub(super) fn new(bytes: &'bytes [u8]) -> Reader<'bytes> {
        Reader(bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn take(&mut self, count: usize) -> Option<&'bytes [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn number(&mut self) -> Option<u32> {
        self.take(4)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
    }

    pub(super) fn count(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    pub(super) fn numbers(&mut self, count: usize) -> Option<Vec<u32>> {
        let (chunks, _) = self.take(count.checked_mul(4)?)?.as_chunks::<4>();
        Some(chunks.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect())
    }

    pub(super) fn bits(&mut self, count: usize) -> Option<Vec<u16>> {
        let (chunks, _) = self.take(count.checked_mul(2)?)?.as_chunks::<2>();
        Some(chunks.iter().map(|bytes| u16::from_le_bytes(*bytes)).collect())
    }

    pub(super) fn narrow(&mut self, count: usize) -> Option<Vec<u32>> {
        let (chunks, _) = self.take(count.checked_mul(2)?)?.as_chunks::<2>();
        let narrow = chunks.iter().map(|bytes| u16::from_le_bytes(*bytes));
        let mut numbers: Vec<u32> = narrow.map(u32::from).collect();
        if numbers.contains(&u32::from(WIDE)) {
            for number in numbers.iter_mut().filter(|number| **number == u32::from(WIDE)) {
                // One that would fit is not how it is written.
                *number = self.number().filter(|number| *number >= u32::from(WIDE))?;
            }
        }
        Some(numbers)
    }

    pub(super) fn texts(&mut self, count: usize) -> Option<Texts<'bytes>> {
        let ends = self.numbers(count)?;
        let bytes = self.take(ends.last().map_or(0, |end| *end as usize))?;
        ends.is_sorted().then_some(Texts { bytes, ends })
    }
}

impl<'bytes> Texts<'bytes> {
    pub(super) fn range(&self, at: usize) -> Option<std::ops::Range<usize>> {
        let start = at.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        Some(start as usize..*self.ends.get(at)? as usize)
    }

    pub(super) fn get(&self, at: usize) -> Option<&'bytes [u8]> {
        self.bytes.get(self.range(at)?)
    }
}
