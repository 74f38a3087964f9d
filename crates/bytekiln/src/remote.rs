//! The cache on another machine, from what was typed and what the manifest says. Connects to
//! nothing; a wrong address or file is the user's error, a server that does not answer is not.

use std::path::Path;
use std::time::Duration;

use bytekiln_executor::{RemoteAccess, RemoteCache};
use bytekiln_project::CacheSettings;
use bytekiln_remote::{RemoteAddress, RemoteHeaders, RemoteOptions, RemoteStore};

use crate::arguments::RemoteArguments;
use crate::commands::cache::size;
use crate::failure::CommandFailure;
use crate::report::terminal::{Terminal, Tone, Verbosity};

/// What is used, and how.
#[derive(Debug, Clone)]
pub struct RemoteSettings {
    /// How it is reached.
    pub options: RemoteOptions,
    /// Nothing is written to it.
    pub read_only: bool,
}

impl RemoteSettings {
    /// Puts arguments (with the environment, by clap) and manifest together; `None`: none is used.
    pub fn new(
        typed: &RemoteArguments,
        configured: &CacheSettings,
        start: &Path,
    ) -> Result<Option<RemoteSettings>, CommandFailure> {
        if typed.no_remote_cache {
            return Ok(None);
        }
        let (text, origin, read_only) = match (&typed.remote_cache, &configured.remote) {
            (Some(text), _) if text.is_empty() => return Ok(None),
            (Some(text), _) => (text, "--remote-cache", typed.remote_cache_read_only),
            (None, Some(text)) => {
                let read_only = typed.remote_cache_read_only || configured.remote_read_only;
                (text, "cache.remote", read_only)
            }
            (None, None) => return Ok(None),
        };
        let address = RemoteAddress::parse(text).map_err(|error| {
            CommandFailure::usage(format!("{origin} `{text}` is no address of a cache: {error}"))
                .hint("write e.g. `https://cache.example/bytekiln` or `grpcs://cache.example:8980/main`")
        })?;
        let headers = match &typed.remote_header_file {
            None => RemoteHeaders::default(),
            Some(file) => {
                let file = start.join(file);
                let shown = file.display();
                let text = std::fs::read_to_string(&file).map_err(|error| {
                    CommandFailure::usage(format!("could not read the headers `{shown}`: {error}"))
                })?;
                RemoteHeaders::parse(&text).map_err(|error| {
                    CommandFailure::usage(format!("`{shown}`: {error}"))
                        .hint("write one header a line, e.g. `Authorization: Bearer …`")
                })?
            }
        };
        let ca_file = typed.remote_ca_file.as_ref().map(|file| start.join(file));
        let timeout = Duration::from_secs(typed.remote_timeout);
        let options = RemoteOptions { address, headers, ca_file, timeout };
        Ok(Some(RemoteSettings { options, read_only }))
    }

    /// Makes the store.
    pub fn open(&self) -> Result<OpenRemote, CommandFailure> {
        let store = RemoteStore::new(self.options.clone()).map_err(CommandFailure::usage)?;
        let access = if self.read_only { RemoteAccess::Read } else { RemoteAccess::ReadWrite };
        Ok(OpenRemote { store, access })
    }
}

/// A store that can be asked.
#[derive(Debug)]
pub struct OpenRemote {
    store: RemoteStore,
    access: RemoteAccess,
}

impl OpenRemote {
    /// For the executor.
    pub fn cache(&self) -> RemoteCache<'_> {
        RemoteCache { store: &self.store, access: self.access, source_hashes: None }
    }

    /// Says what went over the wire, to who wants to know.
    pub fn say_traffic(&self, terminal: &Terminal) {
        let stats = self.store.stats();
        if terminal.verbosity() < Verbosity::Reasons || stats.requests == 0 {
            return;
        }
        let (requests, found, asked) = (stats.requests, stats.results_found, stats.results_asked);
        let (blobs, bytes) = (stats.blobs_read, size(stats.bytes_read));
        let message = format!(
            "{requests} requests: {found} of {asked} results and {blobs} blobs ({bytes}) came, \
             {} results and {} blobs went",
            stats.results_written, stats.blobs_written
        );
        terminal.status_in(Tone::Note, "Remote", message);
    }
}
