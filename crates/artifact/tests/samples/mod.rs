//! Archives made by hand, right ones and wrong ones.

use std::io::Write as _;

use flate2::write::{DeflateEncoder, GzEncoder};
use flate2::{Compression, Crc};

/// An entry of a zip, every field to be wrong in.
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) stored: Vec<u8>,
    pub(crate) size: u32,
    pub(crate) crc: u32,
    pub(crate) method: u16,
    pub(crate) flags: u16,
    pub(crate) mode: u32,
    pub(crate) date: u16,
    pub(crate) time: u16,
}

impl Member {
    pub(crate) fn file(name: &str, content: &str) -> Member {
        let mut crc = Crc::new();
        crc.update(content.as_bytes());
        Member {
            name: name.to_owned(),
            stored: content.as_bytes().to_vec(),
            size: u32::try_from(content.len()).unwrap(),
            crc: crc.sum(),
            method: 0,
            flags: 0x800,
            mode: 0o100_644,
            date: 0x21,
            time: 0,
        }
    }

    pub(crate) fn deflated(name: &str, content: &str) -> Member {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(content.as_bytes()).unwrap();
        Member { stored: encoder.finish().unwrap(), method: 8, ..Member::file(name, content) }
    }

    /// In UTF-8 if the flag says so, else in code page 437, of which one letter is enough.
    fn raw_name(&self) -> Vec<u8> {
        if self.flags & 0x800 != 0 {
            return self.name.clone().into_bytes();
        }
        self.name.chars().map(|c| if c == '\u{e9}' { 0x82 } else { c as u8 }).collect()
    }

    /// What local header and directory have in common.
    fn common(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for number in [20, self.flags, self.method, self.time, self.date] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        let stored = u32::try_from(self.stored.len()).unwrap();
        for number in [self.crc, stored, self.size] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&u16::try_from(self.raw_name().len()).unwrap().to_le_bytes());
        out.extend_from_slice(&[0, 0]);
        out
    }
}

/// A zip of these entries, in this order.
pub(crate) fn zip(members: &[Member]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut directory = Vec::new();
    for member in members {
        let offset = u32::try_from(out.len()).unwrap();
        out.extend_from_slice(b"PK\x03\x04");
        out.extend_from_slice(&member.common());
        out.extend_from_slice(&member.raw_name());
        out.extend_from_slice(&member.stored);
        directory.extend_from_slice(b"PK\x01\x02\x14\x03");
        directory.extend_from_slice(&member.common());
        directory.extend_from_slice(&[0; 6]);
        directory.extend_from_slice(&(member.mode << 16).to_le_bytes());
        directory.extend_from_slice(&offset.to_le_bytes());
        directory.extend_from_slice(&member.raw_name());
    }
    let start = u32::try_from(out.len()).unwrap();
    out.extend_from_slice(&directory);
    out.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    let count = u16::try_from(members.len()).unwrap();
    out.extend_from_slice(&[count.to_le_bytes(), count.to_le_bytes()].concat());
    out.extend_from_slice(&u32::try_from(directory.len()).unwrap().to_le_bytes());
    out.extend_from_slice(&start.to_le_bytes());
    out.extend_from_slice(&[0, 0]);
    out
}

/// A tar of these: name, type, link target, content.
pub(crate) fn tar(members: &[(&str, tar::EntryType, &str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, kind, target, content) in members {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(*kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(1_700_000_000);
        if !target.is_empty() {
            header.set_link_name_literal(target).unwrap();
        }
        if name.len() < 100 {
            // As it is: the builder would refuse `..`.
            let field = &mut header.as_old_mut().name;
            field[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            builder.append(&header, content.as_bytes()).unwrap();
        } else {
            builder.append_data(&mut header, name, content.as_bytes()).unwrap();
        }
    }
    builder.into_inner().unwrap()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(bytes, 1).unwrap()
}
