//! The records of a zip as bytes (APPNOTE.TXT 6.3.10, sections 4.3 and 4.5). Sizes and checksum are
//! in the local headers: `zipimport` reads nothing else there. Knows nothing of contents.

/// What a field of 32 bits has where the value is in a Zip64 field.
const ELSEWHERE: u32 = u32::MAX;
/// What the count of entries has where the value is in the Zip64 record.
const MANY: u16 = u16::MAX;
/// Made on Unix, by version 2.0 of the format.
const MADE_BY: u16 = 3 << 8 | 20;
const ZIP64_VERSION: u16 = 45;
/// Flag bit 11: the name is UTF-8.
const UTF8: u16 = 0x800;
/// What Windows looks at.
const DOS_FOLDER: u32 = 0x10;

/// How an entry is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Stored,
    Deflated,
}

/// All that the headers of an entry say.
#[derive(Debug)]
pub(super) struct Header {
    /// With a slash at its end if it is a folder.
    pub(super) name: Vec<u8>,
    /// Unix mode, with the type.
    pub(super) mode: u32,
    pub(super) method: Method,
    pub(super) crc: u32,
    pub(super) packed: u64,
    pub(super) size: u64,
    /// Of the local header, from the beginning of the file.
    pub(super) offset: u64,
    /// Whether the local header has room for sizes of 64 bits.
    pub(super) wide: bool,
}

/// MS-DOS date and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DosTime {
    date: u16,
    time: u16,
}

impl DosTime {
    /// The nearest time that can be told, in UTC; odd seconds become the even one before.
    pub(super) fn nearest(unix_seconds: i64) -> DosTime {
        /// 1980-01-01 00:00:00.
        const FIRST: i64 = 315_532_800;
        /// 2107-12-31 23:59:58.
        const LAST: i64 = 4_354_819_198;
        let seconds = unix_seconds.clamp(FIRST, LAST);
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = super::super::calendar::date(days);
        let date = (year - 1980) << 9 | month << 5 | day;
        let time = (second / 3600) << 11 | (second / 60 % 60) << 5 | (second % 60 / 2);
        DosTime { date: low_half(date), time: low_half(time) }
    }
}

fn low_half(number: i64) -> u16 {
    u16::try_from(number & 0xffff).unwrap_or(0)
}

fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(ELSEWHERE)
}

/// Whether a number needs a Zip64 field.
pub(super) fn is_wide(number: u64) -> bool {
    number >= u64::from(ELSEWHERE)
}

/// Whether so many entries need a Zip64 record.
pub(super) fn are_many(entries: u64) -> bool {
    entries >= u64::from(MANY)
}

struct Bytes(Vec<u8>);

impl Bytes {
    fn u16(&mut self, number: u16) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn u32(&mut self, number: u32) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn u64(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    /// What local header and directory have in common, up to the length of the name.
    fn common(&mut self, header: &Header, time: DosTime, version: u16, sizes: [u32; 2]) {
        self.u16(version);
        self.u16(if header.name.is_ascii() { 0 } else { UTF8 });
        self.u16(match header.method {
            Method::Stored => 0,
            Method::Deflated => 8,
        });
        self.u16(time.time);
        self.u16(time.date);
        self.u32(header.crc);
        self.u32(sizes[0]);
        self.u32(sizes[1]);
        self.u16(u16::try_from(header.name.len()).unwrap_or(u16::MAX));
    }
}

/// The Zip64 field of these numbers; nothing if there are none.
fn zip64_field(numbers: &[u64]) -> Vec<u8> {
    let mut field = Bytes(Vec::new());
    if !numbers.is_empty() {
        field.u16(1);
        field.u16(u16::try_from(numbers.len() * 8).unwrap_or(0));
        numbers.iter().for_each(|number| field.u64(*number));
    }
    field.0
}

/// Version that a reader must know.
fn needed(header: &Header, is_zip64: bool) -> u16 {
    match header.method {
        _ if is_zip64 => ZIP64_VERSION,
        Method::Stored if !header.name.ends_with(b"/") => 10,
        Method::Stored | Method::Deflated => 20,
    }
}

/// What stands before the data. As long for any checksum, sizes and method.
pub(super) fn local(header: &Header, time: DosTime) -> Vec<u8> {
    let mut out = Bytes(Vec::with_capacity(30 + header.name.len() + 20));
    let (sizes, field) = if header.wide {
        ([ELSEWHERE; 2], zip64_field(&[header.size, header.packed]))
    } else {
        ([narrow(header.packed), narrow(header.size)], Vec::new())
    };
    out.u32(0x0403_4b50);
    out.common(header, time, needed(header, header.wide), sizes);
    out.u16(u16::try_from(field.len()).unwrap_or(0));
    out.0.extend_from_slice(&header.name);
    out.0.extend_from_slice(&field);
    out.0
}

/// The entry's part of the central directory.
pub(super) fn central(header: &Header, time: DosTime) -> Vec<u8> {
    let mut out = Bytes(Vec::with_capacity(46 + header.name.len()));
    // Only those that do not fit, in this order.
    let mut wide = [header.size, header.packed, header.offset].to_vec();
    wide.retain(|number| is_wide(*number));
    let is_zip64 = header.wide || !wide.is_empty();
    let field = zip64_field(&wide);
    let version = needed(header, is_zip64);
    out.u32(0x0201_4b50);
    out.u16(if is_zip64 { 3 << 8 | ZIP64_VERSION } else { MADE_BY });
    out.common(header, time, version, [narrow(header.packed), narrow(header.size)]);
    out.u16(u16::try_from(field.len()).unwrap_or(0));
    // No comment, first disk, no internal attributes.
    out.0.extend_from_slice(&[0; 6]);
    out.u32(header.mode << 16 | if header.name.ends_with(b"/") { DOS_FOLDER } else { 0 });
    out.u32(narrow(header.offset));
    out.0.extend_from_slice(&header.name);
    out.0.extend_from_slice(&field);
    out.0
}

/// What ends a zip, and whether it is Zip64.
pub(super) fn end(entries: u64, start: u64, size: u64) -> (Vec<u8>, bool) {
    let mut out = Bytes(Vec::new());
    let is_zip64 = are_many(entries) || is_wide(start) || is_wide(size);
    if is_zip64 {
        out.u32(0x0606_4b50);
        out.u64(44);
        out.u16(3 << 8 | ZIP64_VERSION);
        out.u16(ZIP64_VERSION);
        out.u64(0);
        [entries, entries, size, start].iter().for_each(|number| out.u64(*number));
        // Its locator.
        out.u32(0x0706_4b50);
        out.u32(0);
        out.u64(start + size);
        out.u32(1);
    }
    out.u32(0x0605_4b50);
    out.u32(0);
    let count = u16::try_from(entries).unwrap_or(MANY);
    out.u16(count);
    out.u16(count);
    out.u32(narrow(size));
    out.u32(narrow(start));
    out.u16(0);
    (out.0, is_zip64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dos_times() {
        let check = |seconds: i64, expect: (i64, i64, i64, i64, i64, i64)| {
            let DosTime { date, time } = DosTime::nearest(seconds);
            let (date, time) = (i64::from(date), i64::from(time));
            let date = (1980 + (date >> 9), date >> 5 & 15, date & 31);
            let told = (date.0, date.1, date.2, time >> 11, time >> 5 & 63, (time & 31) * 2);
            assert_eq!(told, expect, "{seconds}");
        };
        check(0, (1980, 1, 1, 0, 0, 0));
        check(i64::MIN, (1980, 1, 1, 0, 0, 0));
        check(1_700_000_001, (2023, 11, 14, 22, 13, 20));
        check(1_709_164_799, (2024, 2, 28, 23, 59, 58));
        check(1_709_251_199, (2024, 2, 29, 23, 59, 58));
        check(i64::MAX, (2107, 12, 31, 23, 59, 58));
    }
}
