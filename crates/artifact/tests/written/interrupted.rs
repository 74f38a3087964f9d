//! A process is killed while it writes: the final name is as it was, and the next one removes what is
//! left.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bytekiln_artifact::{
    Links, Output, PendingFile, PendingFolder, Placement, TreeOptions, lay_out, write_tree,
    write_zip,
};

use crate::contents::{MODIFIED, file, jobs, noise, zip_options};

/// Where the test below, run as a process of its own, writes to.
const TARGET: &str = "BYTEKILN_TEST_INTERRUPTED_TARGET";

/// Writes until it is killed, if it is that process.
#[test]
fn writer() {
    let Some(target) = std::env::var_os(TARGET) else { return };
    let target = Path::new(&target);
    let entries = lay_out(vec![file("a/b.bin", &noise(3_000_000))], Links::Relative).unwrap();
    let (zip, tree) = (target.join("app.zip"), target.join("tree"));
    let (pending, folder) =
        (PendingFile::create(&zip).unwrap(), PendingFolder::create(&tree).unwrap());
    let options =
        TreeOptions { placement: Placement::Copy, modified: Some(MODIFIED), jobs: jobs(2) };
    write_tree(folder.output(), &entries, &options).unwrap();
    loop {
        let Output { file, .. } = pending.output();
        file.set_len(0).unwrap();
        write_zip(pending.output(), &entries, &zip_options()).unwrap();
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Ends the process even if the test fails.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn nothing_half_written_has_the_name() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("app.zip"), "old").unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "interrupted::writer", "--nocapture"])
        .env(TARGET, folder.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let child = Killed(child);
    let started = Instant::now();
    let pending = |folder: &Path| {
        names(folder).into_iter().filter(|name| name.starts_with(".bytekiln-pending-")).count()
    };
    while pending(folder.path()) < 2 {
        assert!(started.elapsed() < Duration::from_secs(60), "{:?}", names(folder.path()));
        std::thread::sleep(Duration::from_millis(5));
    }
    // It lives: its files are left alone.
    drop(PendingFile::create(&folder.path().join("app.zip")).unwrap());
    assert_eq!(pending(folder.path()), 2);
    drop(child);
    assert_eq!(std::fs::read(folder.path().join("app.zip")).unwrap(), b"old");
    assert_eq!(pending(folder.path()), 2);
    let (zip, tree) = (folder.path().join("app.zip"), folder.path().join("tree"));
    PendingFolder::create(&tree).unwrap().publish().unwrap();
    PendingFile::create(&zip).unwrap().publish().unwrap();
    assert_eq!(names(folder.path()), ["app.zip", "tree"]);
    assert_eq!(std::fs::read(zip).unwrap(), b"");
}
