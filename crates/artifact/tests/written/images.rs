//! Image layouts are read by tools that others wrote, and unpacking them gives the very tree.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use bytekiln_action::{Digest, RepoPath};
use bytekiln_artifact::{
    Artifact, Content, DeflateLevel, EntryKind, ImageOptions, Item, ItemKind, Links, OpenOptions,
    PendingFolder, TarCompression, TarOptions, WrittenImage, ZstdLevel, lay_out, write_image,
};
use bytekiln_test_support::pythons::skip;
use expect_test::expect;

use crate::contents::{MODIFIED, file, jobs, link, noise, tar_options};

fn image() -> ImageOptions {
    ImageOptions {
        architecture: "amd64".to_owned(),
        variant: None,
        system: "linux".to_owned(),
        created: MODIFIED,
        reference: Some("latest".to_owned()),
        entrypoint: vec!["/usr/bin/python3".to_owned(), "-m".to_owned(), "app".to_owned()],
        command: vec!["serve".to_owned()],
        environment: vec!["PYTHONDONTWRITEBYTECODE=1".to_owned()],
        working_folder: Some("/app".to_owned()),
        user: Some("1000:1000".to_owned()),
        labels: BTreeMap::from([("made by".to_owned(), "\"us\"".to_owned())]),
    }
}

/// What changes seldom, and what changes often.
fn layers() -> [Vec<Item>; 2] {
    let long = format!("app/{}/{}.py", "folder".repeat(20), "name".repeat(30));
    let run = ItemKind::File {
        content: Content::Bytes(b"#!/bin/sh\n".as_slice().into()),
        executable: true,
    };
    [
        vec![
            file("app/lib/large.bin", &noise(3 << 20)),
            link("app/bin/python", "/usr/bin/python3"),
            Item { path: RepoPath::new(b"app/bin/run").unwrap(), kind: run },
        ],
        vec![
            file("app/a.py", b"a = 1\n"),
            file("app/caf\u{e9}.py", b"x"),
            file(&long, b"long"),
            link("app/b.py", "a.py"),
        ],
    ]
}

fn write(target: &Path, compression: TarCompression) -> WrittenImage {
    let layers = layers().map(|items| lay_out(items, Links::Rooted).unwrap());
    let tar = TarOptions { compression, ..tar_options() };
    let pending = PendingFolder::create(target).unwrap();
    let written = write_image(pending.output(), &layers, &tar, &image()).unwrap();
    pending.publish().unwrap();
    written
}

fn compressions() -> [TarCompression; 3] {
    [
        TarCompression::None,
        TarCompression::Gzip(DeflateLevel::DEFAULT),
        TarCompression::Zstd(ZstdLevel::DEFAULT),
    ]
}

#[test]
fn the_layout_is_as_the_specification_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("image");
    let written = write(&target, TarCompression::Gzip(DeflateLevel::DEFAULT));
    let artifact = Artifact::open(&target, &OpenOptions::new(jobs(1))).unwrap();
    let mut told = String::new();
    for (index, entry) in artifact.entries().iter().enumerate() {
        if entry.kind != EntryKind::File {
            continue;
        }
        let content = artifact.read(index).unwrap();
        if let Some(hash) = entry.path.to_string().strip_prefix("blobs/sha256/") {
            assert_eq!(Digest::of(&content).to_hex(), hash);
        }
        if let Ok(text) = String::from_utf8(content) {
            told += &format!("{}:\n{}\n", entry.path, text.replace(",\"", ",\n  \""));
        }
    }
    expect![[r#"
        blobs/sha256/8a80fe96839071483c1f7080ffee76036f9614dcaacfa01a1fdcfa637b538af0:
        {"created":"2023-11-14T22:13:20Z",
          "architecture":"amd64",
          "os":"linux",
          "config":{"User":"1000:1000",
          "Env":["PYTHONDONTWRITEBYTECODE=1"],
          "Entrypoint":["/usr/bin/python3",
          "-m",
          "app"],
          "Cmd":["serve"],
          "WorkingDir":"/app",
          "Labels":{"made by":"\"us\""}},
          "rootfs":{"type":"layers",
          "diff_ids":["sha256:67b89568b9d7575dcec2d2faf56c3028ff4a41240db8dbbbce051f470a3dd3d5",
          "sha256:fe75aa58d2a2f3eed55b73facc8a92e29f6081a22c4af7b80c420013253f7014"]},
          "history":[{"created":"2023-11-14T22:13:20Z",
          "created_by":"bytekiln"},{"created":"2023-11-14T22:13:20Z",
          "created_by":"bytekiln"}]}
        blobs/sha256/df4f4ee73cc8342f6eba33fc4ec1f7365a2b3c6dfd1c90a093accf5b17dc879d:
        {"schemaVersion":2,
          "mediaType":"application/vnd.oci.image.manifest.v1+json",
          "config":{"mediaType":"application/vnd.oci.image.config.v1+json",
          "digest":"sha256:8a80fe96839071483c1f7080ffee76036f9614dcaacfa01a1fdcfa637b538af0",
          "size":565},
          "layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip",
          "digest":"sha256:7090286057b78d836b9dc8067295c8fc762fac960e641be31c0537362bb1fce9",
          "size":1704759},{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip",
          "digest":"sha256:d9612853f2014ecc3b729e15a63fe8900e1acbcb7e3ff482a3aef2f52ff707ab",
          "size":305}]}
        index.json:
        {"schemaVersion":2,
          "mediaType":"application/vnd.oci.image.index.v1+json",
          "manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json",
          "digest":"sha256:df4f4ee73cc8342f6eba33fc4ec1f7365a2b3c6dfd1c90a093accf5b17dc879d",
          "size":559,
          "platform":{"architecture":"amd64",
          "os":"linux"},
          "annotations":{"org.opencontainers.image.ref.name":"latest"}}]}
        oci-layout:
        {"imageLayoutVersion":"1.0.0"}
    "#]]
    .assert_eq(&told);
    assert_eq!(written.layers.len(), 2);
    // Once more over the old one, with other threads: the same bytes, which digests say.
    assert_eq!(write(&target, TarCompression::Gzip(DeflateLevel::DEFAULT)), written);
}

/// Runs a tool; `None` if it is not there.
fn run(program: &str, arguments: &[&str]) -> Option<String> {
    let output = match Command::new(program).args(arguments).output() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            skip(&format!("needs `{program}`"));
            return None;
        }
        output => output.unwrap(),
    };
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {error}");
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn skopeo_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    for compression in compressions() {
        let target = folder.path().join("image");
        let written = write(&target, compression);
        let image = format!("oci:{}:latest", target.display());
        let Some(told) =
            run("skopeo", &["inspect", "--format", "{{.Digest}} {{.Architecture}}", &image])
        else {
            return;
        };
        assert_eq!(told.trim(), format!("sha256:{} amd64", written.manifest.to_hex()));
        // Copying checks the digests of all blobs.
        let copy = format!("dir:{}", folder.path().join("copy").display());
        run("skopeo", &["--insecure-policy", "copy", &image, &copy]).unwrap();
    }
}

/// Compares what was unpacked with what was packed.
fn check_tree(root: &Path) {
    let unpacked = Artifact::open(root, &OpenOptions::new(jobs(1))).unwrap();
    let entries = lay_out(layers().concat(), Links::Rooted).unwrap();
    assert_eq!(unpacked.entries().len(), entries.items().len());
    for (index, (read, item)) in unpacked.entries().iter().zip(entries.items()).enumerate() {
        assert_eq!(read.path, item.path);
        let metadata = std::fs::symlink_metadata(root.join(item.path.as_str().unwrap())).unwrap();
        let mode = match &item.kind {
            ItemKind::Directory => 0o040_755,
            ItemKind::Symlink(target) => {
                assert_eq!(read.kind, EntryKind::Symlink(target.clone()));
                0o120_777
            }
            ItemKind::File { content: Content::Bytes(bytes), executable } => {
                assert!(unpacked.read(index).unwrap() == **bytes, "{}", item.path);
                if *executable { 0o100_755 } else { 0o100_644 }
            }
            ItemKind::File { .. } => unreachable!("only bytes here"),
        };
        assert_eq!((metadata.mode(), metadata.mtime()), (mode, MODIFIED), "{}", item.path);
    }
}

#[test]
fn umoci_unpacks_the_very_tree() {
    let folder = tempfile::tempdir().unwrap();
    for (at, compression) in compressions().into_iter().enumerate() {
        // It knows no zstd before version 0.5.
        if matches!(compression, TarCompression::Zstd(_)) {
            continue;
        }
        let target = folder.path().join("image");
        write(&target, compression);
        let image = format!("{}:latest", target.display());
        let bundle = folder.path().join(format!("bundle{at}"));
        let arguments = ["unpack", "--rootless", "--image", &image, bundle.to_str().unwrap()];
        if run("umoci", &arguments).is_none() {
            return;
        }
        check_tree(&bundle.join("rootfs"));
    }
}

#[test]
fn tar_unpacks_the_very_tree() {
    // GNU tar calls these.
    if run("zstd", &["--version"]).is_none() || run("gzip", &["--version"]).is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for compression in compressions() {
        let target = folder.path().join("image");
        let written = write(&target, compression);
        let root = folder.path().join("root");
        std::fs::create_dir(&root).unwrap();
        for layer in written.layers {
            let layer = target.join("blobs/sha256").join(layer.digest.to_hex());
            let (root, layer) = (root.to_str().unwrap(), layer.to_str().unwrap());
            let packing = match compression {
                TarCompression::None => "--no-auto-compress",
                TarCompression::Gzip(_) => "--gzip",
                TarCompression::Zstd(_) => "--zstd",
            };
            run("tar", &["-C", root, "--no-same-owner", "-p", packing, "-xf", layer]).unwrap();
        }
        check_tree(&root);
        std::fs::remove_dir_all(&root).unwrap();
    }
}
