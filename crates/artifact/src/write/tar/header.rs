//! The headers of a tar: ustar, with a pax header before those that ustar has no room for (POSIX.1
//! "pax Interchange Format"). pax and not GNU's own extensions, because it is the one that is a
//! standard, and that OCI asks readers to know. Knows nothing of contents.

use tar::{EntryType, Header};

use super::Owner;
use crate::write::{Item, ItemKind};

/// What a ustar header holds of a name and of a target.
const NAME: usize = 100;
/// The largest number in seven and in eleven octal digits.
const SEVEN_DIGITS: u64 = 0o777_7777;
const ELEVEN_DIGITS: u64 = 0o777_7777_7777;

pub(super) const BLOCK: usize = 512;

/// Zeros up to the next whole block.
pub(super) fn padding(size: u64) -> usize {
    let over = usize::try_from(size % BLOCK as u64).unwrap_or(0);
    (BLOCK - over) % BLOCK
}

/// All headers of an item, and zeros up to a whole block.
pub(super) fn headers(item: &Item, size: u64, modified: i64, owner: Owner) -> Vec<u8> {
    let mut path = item.path.as_bytes().to_vec();
    let (kind, mode, target): (_, _, &[u8]) = match &item.kind {
        ItemKind::Directory => {
            path.push(b'/');
            (EntryType::Directory, 0o755, &[])
        }
        ItemKind::Symlink(target) => (EntryType::Symlink, 0o777, target),
        ItemKind::File { executable, .. } => {
            (EntryType::Regular, if *executable { 0o755 } else { 0o644 }, &[])
        }
    };
    let modified = u64::try_from(modified).unwrap_or(0);
    let mut pax = Vec::new();
    let mut needs = |key: &str, value: &[u8], fits: bool| {
        if !fits {
            record(&mut pax, key, value);
        }
    };
    // Names that are no text are said to be none, else readers take pax for UTF-8.
    let is_text = std::str::from_utf8(&path).is_ok() && std::str::from_utf8(target).is_ok();
    needs("hdrcharset", b"BINARY", is_text);
    needs("linkpath", target, target.len() <= NAME && target.is_ascii());
    needs("path", &path, path.len() <= NAME && path.is_ascii());
    let number = |number: u64| number.to_string().into_bytes();
    needs("size", &number(size), size <= ELEVEN_DIGITS);
    needs("mtime", &number(modified), modified <= ELEVEN_DIGITS);
    let (user, group) = (u64::from(owner.user), u64::from(owner.group));
    needs("uid", &number(user), user <= SEVEN_DIGITS);
    needs("gid", &number(group), group <= SEVEN_DIGITS);
    let mut out = Vec::with_capacity(BLOCK * 4);
    if !pax.is_empty() {
        // The same name for all: it is only seen by readers who do not know pax.
        let fields = Fields {
            path: b"PaxHeaders/0",
            target: &[],
            mode: 0o644,
            size: pax.len() as u64,
            modified,
            owner,
        };
        out.extend_from_slice(header(EntryType::XHeader, &fields).as_bytes());
        out.extend_from_slice(&pax);
        out.resize(out.len() + padding(pax.len() as u64), 0);
    }
    let fields = Fields { path: &path, target, mode, size, modified, owner };
    out.extend_from_slice(header(kind, &fields).as_bytes());
    out
}

struct Fields<'a> {
    path: &'a [u8],
    target: &'a [u8],
    mode: u32,
    size: u64,
    modified: u64,
    owner: Owner,
}

/// One header; what does not fit is cut or 0, and is said in a pax record.
fn header(kind: EntryType, fields: &Fields<'_>) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    let raw = header.as_old_mut();
    for (field, value) in [(&mut raw.name, fields.path), (&mut raw.linkname, fields.target)] {
        field.iter_mut().zip(value).for_each(|(place, byte)| *place = *byte);
    }
    header.set_mode(fields.mode);
    let or_none = |number: u64, most: u64| if number <= most { number } else { 0 };
    header.set_uid(or_none(u64::from(fields.owner.user), SEVEN_DIGITS));
    header.set_gid(or_none(u64::from(fields.owner.group), SEVEN_DIGITS));
    header.set_size(or_none(fields.size, ELEVEN_DIGITS));
    header.set_mtime(or_none(fields.modified, ELEVEN_DIGITS));
    header.set_cksum();
    header
}

/// `LENGTH KEY=VALUE`, where the length counts itself.
fn record(out: &mut Vec<u8>, key: &str, value: &[u8]) {
    // A space, `=` and the end of the line.
    let rest = key.len() + value.len() + 3;
    let mut length = rest;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    out.extend_from_slice(format!("{length} {key}=").as_bytes());
    out.extend_from_slice(value);
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_count_themselves() {
        for length in [1, 84, 85, 86, 87, 88, 89, 90, 985, 986, 987, 988, 989, 990] {
            let mut out = Vec::new();
            record(&mut out, "path", &b"x".repeat(length));
            let space = out.iter().position(|byte| *byte == b' ').unwrap();
            let told: usize = std::str::from_utf8(&out[..space]).unwrap().parse().unwrap();
            assert_eq!(told, out.len(), "{length}");
        }
    }
}
