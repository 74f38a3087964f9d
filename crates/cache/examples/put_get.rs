//! Measures the disk store: 20,000 objects of 16 KB and their results, in microseconds each.
//! `cargo run --release -p bytekiln-cache --example put_get -- FOLDER [COUNT]`; FOLDER must be
//! on the file system in question, and is left with the cache and the links in it.
#![expect(clippy::print_stdout, reason = "a command for people")]

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use bytekiln_action::{ActionDigest, ActionResult, Digest, Outcome};
use bytekiln_cache::{Blob, DiskOptions, DiskStore, GcOptions, ResultEntry, Store};

const OBJECT_BYTES: usize = 16 * 1024;
/// As an executor would group them.
const BATCH: usize = 256;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("usage: put_get FOLDER [COUNT]")?;
    let count = arguments.next().map_or(Ok(20_000), |count| count.parse::<u32>())?;
    let root = Path::new(&folder).join("cache");
    let links = Path::new(&folder).join("links");
    let store = DiskStore::open(&root, DiskOptions::default())?;

    let blobs: Vec<Blob> = (0..count).map(make_blob).collect();
    let entries: Vec<ResultEntry> = blobs.iter().map(make_entry).collect();
    let actions: Vec<ActionDigest> = entries.iter().map(|entry| entry.action).collect();
    let digests: Vec<Digest> = blobs.iter().map(|blob| blob.digest).collect();

    measure("put: write_local_object", count, || {
        blobs.iter().try_for_each(|blob| store.write_local_object(blob).map(drop))
    })?;
    measure("exists: find_missing", count, || {
        store.find_missing(&digests).map(|missing| assert!(missing.is_empty()))
    })?;
    measure("get: local_object", count, || {
        digests.iter().try_for_each(|digest| store.local_object(digest).map(drop))
    })?;
    measure("get: read_blobs", count, || {
        digests.chunks(BATCH).try_for_each(|digests| store.read_blobs(digests).map(drop))
    })?;
    std::fs::create_dir_all(&links)?;
    measure("materialize: local_object + hard link", count, || {
        digests.iter().zip(0..).try_for_each(|(digest, number)| -> Result<(), Box<dyn Error>> {
            let object = store.local_object(digest)?.ok_or("lost an object")?;
            Ok(std::fs::hard_link(object.path, links.join(format!("{number}.pyc")))?)
        })
    })?;
    measure("results: update, batches of 256", count, || {
        entries.chunks(BATCH).try_for_each(|entries| store.update_results(entries))
    })?;
    drop(store); // its journal may be merged now

    let store = DiskStore::open(&root, DiskOptions::default())?;
    measure("results: first get, which merges", count, || {
        store.get_results(&actions[..1]).map(drop)
    })?;
    let store = DiskStore::open(&root, DiskOptions::default())?;
    measure("results: get all at once from the table", count, || {
        store.get_results(&actions).map(|found| assert!(found.iter().all(Option::is_some)))
    })?;
    measure("results: get, batches of 256", count, || {
        actions.chunks(BATCH).try_for_each(|actions| store.get_results(actions).map(drop))
    })?;
    measure("results: get one by one", count, || {
        actions.iter().try_for_each(|action| store.get_results(&[*action]).map(drop))
    })?;
    measure("results: one by one, unknown", count, || {
        digests.iter().try_for_each(|d| store.get_results(&[ActionDigest(d.hash)]).map(drop))
    })?;
    measure("stats", count, || store.stats().map(|stats| println!("{stats:?}")))?;
    measure("gc that removes nothing", count, || {
        store.gc(&GcOptions::default()).map(|report| println!("{report:?}"))
    })?;
    Ok(())
}

/// Prints how long it took, an object.
fn measure<E>(what: &str, count: u32, work: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
    let start = Instant::now();
    work()?;
    let micros = start.elapsed().as_secs_f64() * 1e6 / f64::from(count);
    println!("{micros:10.2} µs  {what}");
    Ok(())
}

/// Bytes that do not repeat from object to object.
fn make_blob(number: u32) -> Blob {
    let mut bytes = vec![0x55; OBJECT_BYTES];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    Blob::of(bytes)
}

fn make_entry(blob: &Blob) -> ResultEntry {
    ResultEntry {
        action: ActionDigest(Digest::of(&blob.digest.hash).hash),
        result: ActionResult {
            outcome: Outcome::Compiled { output: blob.digest },
            warnings: Vec::new(),
            compile_micros: 800,
        },
    }
}
