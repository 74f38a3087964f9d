//! Which compiler makes the bytes. Equal magic numbers do not mean equal bytes (3.15.0 and 3.15.2
//! share one and differ in 93 of 151 files), so the whole identity is in every key.

use bytekiln_python::Release;

use crate::key::{HashSink, KeySink};

/// The identity of an interpreter: all that can change the bytes it compiles to, and nothing of
/// where it is installed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Toolchain {
    /// The feature release; its row gives magic number and source hash.
    pub release: Release,
    /// `sys.implementation.name`, e.g. `cpython`.
    pub implementation: String,
    /// Exact version, e.g. `3.11.7` or `3.15.0rc1`.
    pub version: String,
    /// `sys.version`: version, build number or tag, date, compiler.
    pub build: String,
    /// `sys.implementation.cache_tag`, e.g. `cpython-311`.
    pub cache_tag: String,
    /// `sysconfig.get_platform()`-like name, e.g. `linux-x86_64`: constants are folded through
    /// the platform's `libm`.
    pub platform: String,
    /// Built with `--disable-gil` (same magic and tag as the ordinary build).
    pub free_threaded: bool,
    /// Built with `--with-pydebug`.
    pub debug: bool,
}

/// SHA-256 over a [`Toolchain`]'s fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ToolchainDigest(pub [u8; 32]);

impl Toolchain {
    /// Names every field to the sink.
    pub fn describe(&self, sink: &mut dyn KeySink) {
        sink.field("implementation", self.implementation.as_bytes());
        sink.field("version", self.version.as_bytes());
        sink.field("build", self.build.as_bytes());
        sink.field("magic", self.release.magic().to_string().as_bytes());
        sink.field("cache-tag", self.cache_tag.as_bytes());
        sink.field("platform", self.platform.as_bytes());
        sink.field("free-threaded", if self.free_threaded { b"yes" } else { b"no" });
        sink.field("debug", if self.debug { b"yes" } else { b"no" });
    }

    /// The digest over [`Toolchain::describe`].
    pub fn digest(&self) -> ToolchainDigest {
        let mut sink = HashSink::new("bytekiln toolchain 1");
        self.describe(&mut sink);
        ToolchainDigest(sink.finish())
    }

    /// `CPython 3.13.0 free-threaded`, for people.
    pub fn label(&self) -> String {
        let name = if self.implementation == "cpython" { "CPython" } else { &self.implementation };
        let threads = if self.free_threaded { " free-threaded" } else { "" };
        let debug = if self.debug { " debug" } else { "" };
        format!("{name} {}{threads}{debug}", self.version)
    }
}
