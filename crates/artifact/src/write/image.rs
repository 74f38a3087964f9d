//! Writes a container image as a folder that tools take as it is: OCI image layout 1.0.0 with one
//! manifest (image-spec 1.1). Knows nothing of registries, and of no layers but those it writes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use bytekiln_action::Digest;
use rustix::fs::Mode;

use super::json::Json;
use super::tar::{TarCompression, TarOptions, WrittenTar, write_tar};
use super::{Entries, FolderOutput, Output, WriteError, calendar};

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

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const REFERENCE: &str = "org.opencontainers.image.ref.name";

impl TarCompression {
    /// The media type of such a layer.
    pub fn media_type(self) -> &'static str {
        match self {
            TarCompression::None => "application/vnd.oci.image.layer.v1.tar",
            TarCompression::Gzip(_) => "application/vnd.oci.image.layer.v1.tar+gzip",
            TarCompression::Zstd(_) => "application/vnd.oci.image.layer.v1.tar+zstd",
        }
    }
}

/// Writes an image layout into an empty folder: `oci-layout`, `index.json`, `blobs/sha256/*`.
///
/// # Errors
/// Those of [`write_tar`]. What is in the folder is of no use then.
pub fn write_image(
    output: FolderOutput<'_>,
    layers: &[Entries],
    tar: &TarOptions,
    image: &ImageOptions,
) -> Result<WrittenImage, WriteError> {
    let folder = output.path;
    let blobs = folder.join("blobs/sha256");
    for path in [folder.join("blobs"), blobs.clone()] {
        make_folder(&path).map_err(|error| output.fail(&path, error))?;
    }
    let written = layers.iter().map(|entries| layer(output, &blobs, entries, tar));
    let layers = written.collect::<Result<Vec<_>, _>>()?;
    let write = |path: &Path, json: &Json| {
        let text = json.to_string();
        let written = write_file(path, text.as_bytes());
        written.map_err(|error| output.fail(path, error))?;
        Ok(Digest::of(text.as_bytes()))
    };
    let write_blob = |json: Json| {
        let path = blobs.join(Digest::of(json.to_string().as_bytes()).to_hex());
        write(&path, &json)
    };
    let config = write_blob(config_of(image, &layers))?;
    let manifest = write_blob(manifest_of(config, &layers, tar.compression))?;
    write(&folder.join("index.json"), &index_of(image, manifest))?;
    let layout = Json::object([("imageLayoutVersion", Some(Json::text("1.0.0")))]);
    write(&folder.join("oci-layout"), &layout)?;
    Ok(WrittenImage { manifest, config, layers })
}

fn layer(
    output: FolderOutput<'_>,
    blobs: &Path,
    entries: &Entries,
    options: &TarOptions,
) -> Result<WrittenTar, WriteError> {
    // Its name is its digest, which is known at its end.
    let unnamed = blobs.join("layer");
    let file = create(&unnamed).map_err(|error| output.fail(&unnamed, error))?;
    let name = output.name.join("blobs/sha256/layer");
    let written = write_tar(Output { file: &file, name: &name }, entries, options)?;
    let named = blobs.join(written.digest.to_hex());
    std::fs::rename(&unnamed, &named).map_err(|error| output.fail(&named, error))?;
    Ok(written)
}

fn config_of(image: &ImageOptions, layers: &[WrittenTar]) -> Json {
    let some = |list: &[String]| (!list.is_empty()).then(|| Json::texts(list));
    let text = |text: &Option<String>| text.as_ref().map(Json::text);
    let labels = image.labels.iter().map(|(key, value)| (key.clone(), Json::text(value)));
    let labels = (!image.labels.is_empty()).then(|| Json::Object(labels.collect()));
    let created = calendar::rfc3339(image.created);
    let diff_ids = layers.iter().map(|layer| Json::text(name_of(layer.diff_id)));
    let history = layers.iter().map(|_| {
        Json::object([
            ("created", Some(Json::text(&created))),
            ("created_by", Some(Json::text("bytekiln"))),
        ])
    });
    Json::object([
        ("created", Some(Json::text(&created))),
        ("architecture", Some(Json::text(&image.architecture))),
        ("variant", text(&image.variant)),
        ("os", Some(Json::text(&image.system))),
        (
            "config",
            Some(Json::object([
                ("User", text(&image.user)),
                ("Env", some(&image.environment)),
                ("Entrypoint", some(&image.entrypoint)),
                ("Cmd", some(&image.command)),
                ("WorkingDir", text(&image.working_folder)),
                ("Labels", labels),
            ])),
        ),
        (
            "rootfs",
            Some(Json::object([
                ("type", Some(Json::text("layers"))),
                ("diff_ids", Some(Json::List(diff_ids.collect()))),
            ])),
        ),
        ("history", Some(Json::List(history.collect()))),
    ])
}

fn manifest_of(config: Digest, layers: &[WrittenTar], compression: TarCompression) -> Json {
    let media_type = compression.media_type();
    let layers = layers.iter().map(|layer| descriptor(media_type, layer.digest, [], None));
    Json::object([
        ("schemaVersion", Some(Json::Number(2))),
        ("mediaType", Some(Json::text(MANIFEST))),
        ("config", Some(descriptor(CONFIG, config, [], None))),
        ("layers", Some(Json::List(layers.collect()))),
    ])
}

fn index_of(image: &ImageOptions, manifest: Digest) -> Json {
    let platform = Json::object([
        ("architecture", Some(Json::text(&image.architecture))),
        ("os", Some(Json::text(&image.system))),
        ("variant", image.variant.as_ref().map(Json::text)),
    ]);
    let reference = image.reference.as_ref().map(|name| (REFERENCE, name.as_str()));
    let manifest = descriptor(MANIFEST, manifest, reference, Some(platform));
    Json::object([
        ("schemaVersion", Some(Json::Number(2))),
        ("mediaType", Some(Json::text(INDEX))),
        ("manifests", Some(Json::List(vec![manifest]))),
    ])
}

fn descriptor<'a>(
    media_type: &str,
    digest: Digest,
    annotations: impl IntoIterator<Item = (&'a str, &'a str)>,
    platform: Option<Json>,
) -> Json {
    let annotations = annotations.into_iter();
    let annotations: Vec<_> =
        annotations.map(|(key, value)| (key.to_owned(), Json::text(value))).collect();
    Json::object([
        ("mediaType", Some(Json::text(media_type))),
        ("digest", Some(Json::text(name_of(digest)))),
        ("size", Some(Json::Number(digest.size))),
        ("platform", platform),
        ("annotations", (!annotations.is_empty()).then_some(Json::Object(annotations))),
    ])
}

fn name_of(digest: Digest) -> String {
    format!("sha256:{}", digest.to_hex())
}

fn make_folder(path: &Path) -> std::io::Result<()> {
    std::fs::create_dir(path)?;
    Ok(rustix::fs::chmod(path, Mode::from_raw_mode(0o755))?)
}

/// Readable for everybody, whatever the umask.
fn create(path: &Path) -> std::io::Result<File> {
    let mut options = std::fs::OpenOptions::new();
    let file = options.read(true).write(true).create_new(true).mode(0o644).open(path)?;
    rustix::fs::fchmod(&file, Mode::from_raw_mode(0o644))?;
    Ok(file)
}

fn write_file(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    create(path)?.write_all(bytes)
}
