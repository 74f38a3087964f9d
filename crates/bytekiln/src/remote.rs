//! The cache on another machine, from what was typed and what the manifest says. Connects to
//! nothing; a wrong address or file is the user's error, a server that does not answer is not.

use std::path::Path;
use std::time::Duration;

use bytekiln_cache::{ReadOnlyStore, Store};
use bytekiln_project::CacheSettings;
use bytekiln_remote::{RemoteAddress, RemoteHeaders, RemoteOptions, RemoteStore};

use crate::arguments::RemoteArguments;
use crate::failure::CommandFailure;

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
    pub fn open(&self) -> Result<Box<dyn Store>, CommandFailure> {
        let store = RemoteStore::new(self.options.clone()).map_err(CommandFailure::usage)?;
        Ok(if self.read_only { Box::new(ReadOnlyStore::new(store)) } else { Box::new(store) })
    }
}
