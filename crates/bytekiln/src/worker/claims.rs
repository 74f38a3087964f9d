//! What a request says its inputs' digests are. Believed once they have been seen to be SHA-256: a
//! Bazel may use another digest function, and does not say so.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use bytekiln_action::{ActionDigest, Digest};

use super::protocol::Input;
use crate::compilation::Claims;

/// Digests of one request.
pub(super) struct RequestClaims<'a> {
    digests: BTreeMap<&'a Path, [u8; 32]>,
    /// Of all requests of this worker: a source had the digest that was said.
    is_sha256: &'a AtomicBool,
    /// Reading can be saved only where there is a cache to ask.
    has_store: bool,
}

impl<'a> RequestClaims<'a> {
    pub(super) fn new(
        inputs: &'a [Input],
        is_sha256: &'a AtomicBool,
        has_store: bool,
    ) -> RequestClaims<'a> {
        let digests = inputs.iter().filter_map(|input| {
            let text = std::str::from_utf8(&input.digest).ok()?;
            Some((Path::new(&input.path), ActionDigest::parse(text).ok()?.0))
        });
        RequestClaims { digests: digests.collect(), is_sha256, has_store }
    }
}

impl Claims for RequestClaims<'_> {
    fn vouched(&self, source: &Path, place: &Path) -> Option<Digest> {
        if !self.has_store || !self.is_sha256.load(Ordering::Relaxed) {
            return None;
        }
        let hash = *self.digests.get(source)?;
        let metadata = std::fs::metadata(place).ok().filter(std::fs::Metadata::is_file)?;
        Some(Digest { hash, size: metadata.len() })
    }

    fn check(&self, source: &Path, digest: &Digest) -> Result<(), String> {
        let Some(said) = self.digests.get(source) else { return Ok(()) };
        if *said == digest.hash {
            self.is_sha256.store(true, Ordering::Relaxed);
        } else if self.is_sha256.load(Ordering::Relaxed) {
            return Err("it is not what the request's digest says; it has changed since".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_believed_once_they_are_known_to_be_ours() {
        let own = Digest::of(b"x = 1\n");
        let input = |path: &str, digest: &str| Input {
            path: path.to_owned(),
            digest: digest.as_bytes().to_vec(),
        };
        let inputs =
            [input("a.py", &own.to_hex()), input("b.py", &"0".repeat(64)), input("c.py", "short")];
        let is_sha256 = AtomicBool::new(false);
        let claims = RequestClaims::new(&inputs, &is_sha256, true);
        let place = std::env::current_exe().expect("a file");
        let vouched = |path: &str| claims.vouched(Path::new(path), &place).map(|it| it.hash);
        assert_eq!(vouched("a.py"), None);
        assert!(claims.check(Path::new("b.py"), &own).is_ok(), "another function, perhaps");
        assert!(claims.check(Path::new("a.py"), &own).is_ok());
        assert_eq!(vouched("a.py"), Some(own.hash));
        assert_eq!(vouched("c.py"), None);
        assert_eq!(vouched("d.py"), None);
        assert!(claims.check(Path::new("b.py"), &own).is_err());
        assert!(claims.check(Path::new("d.py"), &own).is_ok());
        let without_store = RequestClaims::new(&inputs, &is_sha256, false);
        assert_eq!(without_store.vouched(Path::new("a.py"), &place), None);
    }
}
