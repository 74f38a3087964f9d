//! An image as a folder: OCI image layout 1.0.0, with one manifest.

use std::collections::BTreeMap;
use std::path::Path;

use bytekiln_action::Digest;

use super::{Entries, TarOptions, WriteError, WrittenTar};

/// What an image says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageOptions {
    /// The processor, as Go names it: `amd64`, `arm64`.
    pub architecture: String,
    /// Its variant, such as `v8`.
    pub variant: Option<String>,
    /// The operating system, as Go names it: `linux`.
    pub system: String,
    /// When it was made, in seconds since 1970.
    pub created: i64,
    /// The name that tools find it by in the folder: `org.opencontainers.image.ref.name`, often
    /// `latest`.
    pub reference: Option<String>,
    /// What is run.
    pub entrypoint: Vec<String>,
    /// Its arguments if none are given.
    pub command: Vec<String>,
    /// Environment, `NAME=value`.
    pub environment: Vec<String>,
    /// Where it is run.
    pub working_folder: Option<String>,
    /// As whom it is run: `USER[:GROUP]`.
    pub user: Option<String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenImage {
    /// The manifest: the digest that the image is known by.
    pub manifest: Digest,
    /// Its configuration.
    pub config: Digest,
    /// Its layers, the lowest first.
    pub layers: Vec<WrittenTar>,
}

/// Writes an image layout into an empty folder: `oci-layout`, `index.json`, `blobs/sha256/*`.
///
/// # Errors
/// What is in the folder is of no use then.
pub fn write_image(
    folder: &Path,
    layers: &[Entries],
    tar: &TarOptions,
    image: &ImageOptions,
) -> Result<WrittenImage, WriteError> {
    todo!("{folder:?} {layers:?} {tar:?} {image:?}")
}
