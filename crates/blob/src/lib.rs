//! Blobs: all `.pyc` of a program in one file with an index, made to be embedded in a binary with
//! `include_bytes!`, or mapped (`docs/blob.md` has the format). No I/O and no dependencies; hostile
//! bytes are an error. Knows nothing of files, manifests or what is in a `.pyc` beyond its header.
//!
//! [`write()`] or [`Writer`] make one, [`Blob`] reads one, and [`FINDER`] is the Python module that
//! makes an interpreter import from it.
//!
//! ```
//! use bytekiln_blob::{Blob, Entry, Target, write};
//!
//! let target = Target { magic_number: 3495, cache_tag: "cpython-311", optimization: 0 };
//! let pyc = b"\xa7\x0d\r\n\x03\0\0\0 \x01\x02\x03\x04\x05\x06\x07payload";
//! let bytes = write(
//!     &[
//!         Entry::Module { name: "app", package: true, pyc, origin: None },
//!         Entry::Module { name: "app.main", package: false, pyc, origin: None },
//!         Entry::Source { name: "app.main", text: b"print('hello')\n" },
//!         Entry::Data { path: "app/words.txt", bytes: b"kiln\n" },
//!     ],
//!     &target,
//! )?;
//!
//! let blob = Blob::parse(&bytes)?;
//! assert_eq!(blob.target(), target);
//! let main = blob.find("app.main").ok_or("it is there")?;
//! assert_eq!(main.code()?, b"payload");
//! assert_eq!(main.origin().as_deref(), Some("app/main.py"));
//! assert_eq!(blob.children("app").map(|module| module.name()).collect::<Vec<_>>(), ["app.main"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![no_std]
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

extern crate alloc;

mod contents;
mod digest;
mod entry;
mod finder;
mod format;
mod name;
mod read;
mod target;
mod write;

pub use contents::{Data, Module};
pub use entry::{Entry, EntryError, ModuleKind};
pub use finder::{FINDER, FINDER_MODULE, bootstrap};
pub use format::VERSION;
pub use read::{Blob, BlobError};
pub use target::Target;
pub use write::{WriteError, Writer, write};

/// Embeds a blob, aligned to sixteen bytes as its payloads expect; takes what `include_bytes!`
/// takes and gives a `&'static [u8]`.
///
/// ```
/// static PROGRAM: &[u8] =
///     bytekiln_blob::include_blob!(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
/// assert!(bytekiln_blob::Blob::parse(PROGRAM).is_err());
/// ```
#[macro_export]
macro_rules! include_blob {
    ($path:expr $(,)?) => {{
        #[repr(C, align(16))]
        struct Aligned<Bytes: ?Sized>(Bytes);
        static ALIGNED: &Aligned<[u8]> = &Aligned(*include_bytes!($path));
        &ALIGNED.0
    }};
}
