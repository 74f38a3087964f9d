//! Measures extraction: reads all Python sources under the given folders, then extracts their
//! imports a few times and prints the best. `cargo run --release --example extraction_throughput -- FOLDER…`.
//! With `--names`, also what modules bind, which reads sources to their end. Measures no I/O.
#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a tool for developers"
)]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;

use bytekiln_syntax::{Options, extract};

const ROUNDS: u32 = 5;

fn main() {
    let mut options = Options::default();
    let mut sources = Vec::new();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--names" => options.names = true,
            "--strings" => options.strings = Some(2),
            folder => collect(Path::new(folder), &mut sources),
        }
    }
    let bytes: usize = sources.iter().map(Vec::len).sum();
    let mut best = f64::INFINITY;
    let (mut imports, mut problems) = (0, 0);
    for _ in 0..ROUNDS {
        (imports, problems) = (0, 0);
        let started = Instant::now();
        for source in &sources {
            let extraction = extract(black_box(source), &options);
            imports += extraction.imports.len();
            problems += extraction.problems.len();
            black_box(&extraction);
        }
        best = best.min(started.elapsed().as_secs_f64());
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let megabytes = bytes as f64 / 1e6;
    println!(
        "{} files, {megabytes:.1} MB, {imports} imports, {problems} problems: {:.1} ms, {:.0} MB/s",
        sources.len(),
        best * 1e3,
        megabytes / best,
    );
}

fn collect(folder: &Path, sources: &mut Vec<Vec<u8>>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() && !path.is_symlink() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "py") && path.is_file() {
            sources.push(std::fs::read(&path).expect("readable"));
        }
    }
}
