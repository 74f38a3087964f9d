//! How fast payloads become canonical: `throughput FOLDER…`, each a folder of `.pyc` files. Reads
//! them all first; prints one line a folder.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use bytekiln_codec::{
    CanonicalOptions, HEADER_LENGTH, Header, Limits, NanPolicy, canonicalize, decode,
};

/// Passes over all files; the best counts, because the others were disturbed.
const PASSES: usize = 9;

#[expect(clippy::print_stdout, reason = "an example that prints what it measures")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    for folder in std::env::args_os().skip(1) {
        let files = read(Path::new(&folder))?;
        let bytes: usize = files.iter().map(Vec::len).sum();
        println!("{}: {} files, {bytes} bytes", Path::new(&folder).display(), files.len());
        for (what, work) in [("decode", decode_all as fn(_) -> _), ("canonicalize", all)] {
            let mut best = Duration::MAX;
            let mut made = 0;
            for _ in 0..PASSES {
                let start = Instant::now();
                made = work(&files)?;
                best = best.min(start.elapsed());
            }
            println!(
                "  {what}: {:.1} MB/s, {:.0} files/s, ratio {:.4}",
                bytes as f64 / best.as_secs_f64() / 1e6,
                files.len() as f64 / best.as_secs_f64(),
                made as f64 / bytes as f64
            );
        }
    }
    Ok(())
}

fn read(folder: &Path) -> std::io::Result<Vec<Vec<u8>>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        paths.push(entry?.path());
    }
    paths.sort();
    paths
        .iter()
        .filter(|path| path.extension().is_some_and(|name| name == "pyc"))
        .map(std::fs::read)
        .collect()
}

type Outcome = Result<usize, Box<dyn std::error::Error>>;

fn decode_all(files: &[Vec<u8>]) -> Outcome {
    for file in files {
        let release = Header::parse(file)?.release().ok_or("unknown magic number")?;
        black_box(decode(&file[HEADER_LENGTH..], release, &Limits::default())?);
    }
    Ok(0)
}

fn all(files: &[Vec<u8>]) -> Outcome {
    let mut made = 0;
    for file in files {
        let release = Header::parse(file)?.release().ok_or("unknown magic number")?;
        let recorded_path = b"package/module.py";
        let options = CanonicalOptions {
            release,
            recorded_path,
            limits: Limits::default(),
            nans: NanPolicy::Kept,
        };
        made += HEADER_LENGTH + black_box(canonicalize(&file[HEADER_LENGTH..], &options)?).len();
    }
    Ok(made)
}
