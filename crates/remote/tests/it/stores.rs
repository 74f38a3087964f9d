//! Stores for tests.

use std::time::Duration;

use bytekiln_remote::{RemoteAddress, RemoteHeaders, RemoteOptions, RemoteStore};

/// Options for this address, with nothing else said.
pub(crate) fn options(address: &str) -> RemoteOptions {
    RemoteOptions {
        address: RemoteAddress::parse(address).unwrap(),
        headers: RemoteHeaders::default(),
        ca_file: None,
        timeout: Duration::from_secs(20),
    }
}

/// A store at this address.
pub(crate) fn store(address: &str) -> RemoteStore {
    RemoteStore::new(options(address)).unwrap()
}
