//! Packs the files of a zip: many small ones at once, large ones in parts. Knows nothing of where
//! they go in the zip.

use flate2::Crc;

use super::ZipCompression;
use super::header::Method;
use crate::write::blocks::{DEFLATE_BLOCK, DEFLATE_WINDOW, Deflater, Last};
use crate::write::content::{self, Reader};
use crate::write::in_order::{Feed, Halt};
use crate::write::{Item, ItemKind, WriteError};

/// What small files are read and packed as one piece of work: together so many bytes, or so many
/// files.
const BATCH_BYTES: u64 = 256 << 10;
const BATCH_FILES: usize = 64;

/// A piece of work.
pub(super) enum Job<'a> {
    /// Whole entries with their sizes.
    Small(Vec<(&'a Item, u64)>),
    /// A part of a large file.
    Part(Part<'a>),
}

pub(super) struct Part<'a> {
    /// The file and its size, at its first part.
    first: Option<(&'a Item, u64)>,
    /// What comes before, as far as deflate looks back.
    before: Vec<u8>,
    raw: Vec<u8>,
    last: Last,
}

/// What came of it.
pub(super) enum Packed<'a> {
    Small(Vec<Whole<'a>>),
    Part { first: Option<(&'a Item, u64)>, crc: Crc, data: Vec<u8>, last: Last },
}

/// A packed entry.
pub(super) struct Whole<'a> {
    pub(super) item: &'a Item,
    pub(super) method: Method,
    pub(super) crc: u32,
    pub(super) size: u64,
    pub(super) data: Vec<u8>,
}

/// Names the work that `items` are. Reads large files, one after the other.
pub(super) fn name<'a>(items: &[&'a Item], feed: &Feed<Job<'a>, Packed<'a>>) -> Result<(), Halt> {
    let mut batch = Vec::new();
    let mut bytes = 0;
    for item in items {
        let size = match &item.kind {
            ItemKind::File { content, .. } => content::size_of(&item.path, content)?,
            ItemKind::Directory | ItemKind::Symlink(_) => 0,
        };
        let is_large = size > DEFLATE_BLOCK as u64;
        if !batch.is_empty()
            && (is_large || bytes + size > BATCH_BYTES || batch.len() == BATCH_FILES)
        {
            feed.send(Job::Small(std::mem::take(&mut batch)))?;
            bytes = 0;
        }
        match &item.kind {
            ItemKind::File { content, .. } if is_large => {
                name_parts(item, Reader::open(&item.path, content, size)?, size, feed)?;
            }
            _ => {
                batch.push((*item, size));
                bytes += size;
            }
        }
    }
    if !batch.is_empty() {
        feed.send(Job::Small(batch))?;
    }
    Ok(())
}

fn name_parts<'a>(
    item: &'a Item,
    mut reader: Reader<'_>,
    size: u64,
    feed: &Feed<Job<'a>, Packed<'a>>,
) -> Result<(), Halt> {
    let mut first = Some((item, size));
    let mut before = Vec::new();
    while reader.left() > 0 {
        let mut raw = Vec::new();
        reader.fill(&mut raw, DEFLATE_BLOCK)?;
        let last = if reader.left() == 0 { Last::Yes } else { Last::No };
        let window = raw.len().saturating_sub(DEFLATE_WINDOW);
        let next = raw.get(window..).unwrap_or_default().to_vec();
        let before = std::mem::replace(&mut before, next);
        feed.send(Job::Part(Part { first: first.take(), before, raw, last }))?;
    }
    reader.finish()?;
    Ok(())
}

/// Packs on one thread.
pub(super) struct Packer(Option<Deflater>);

impl Packer {
    pub(super) fn new(compression: ZipCompression) -> Packer {
        Packer(match compression {
            ZipCompression::Stored => None,
            ZipCompression::Deflated(level) => Some(Deflater::new(level)),
        })
    }

    pub(super) fn pack<'a>(&mut self, job: Job<'a>) -> Result<Packed<'a>, WriteError> {
        match job {
            Job::Small(items) => {
                let wholes = items.into_iter().map(|(item, size)| self.whole(item, size));
                wholes.collect::<Result<_, _>>().map(Packed::Small)
            }
            Job::Part(Part { first, before, raw, last }) => {
                let mut crc = Crc::new();
                crc.update(&raw);
                let data = match &mut self.0 {
                    None => raw,
                    Some(deflater) => deflater.pack(&before, &raw, last).to_vec(),
                };
                Ok(Packed::Part { first, crc, data, last })
            }
        }
    }

    fn whole<'a>(&mut self, item: &'a Item, size: u64) -> Result<Whole<'a>, WriteError> {
        let (raw, may_deflate) = match &item.kind {
            ItemKind::Directory => (Vec::new(), false),
            ItemKind::Symlink(target) => (target.clone(), false),
            ItemKind::File { content, .. } => (content::read(&item.path, content, size)?, true),
        };
        let mut crc = Crc::new();
        crc.update(&raw);
        let (crc, size) = (crc.sum(), raw.len() as u64);
        if let Some(deflater) = self.0.as_mut().filter(|_| may_deflate && !raw.is_empty()) {
            let data = deflater.pack(&[], &raw, Last::Yes);
            if data.len() < raw.len() {
                let data = data.to_vec();
                return Ok(Whole { item, method: Method::Deflated, crc, size, data });
            }
        }
        Ok(Whole { item, method: Method::Stored, crc, size, data: raw })
    }
}
