//! Sources that are no files of the workspace, and digests without a store.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytekiln_executor::{Failure, Job, JobEnd, Order, Sources, Unplaced, execute};
use expect_test::expect;

use crate::project::{Project, ends, imaginary_compiler, options};
use crate::scripted::Scripted;

/// Gives each job what stands at its place.
struct Shelf<'a>(&'a [&'a str]);

impl Sources for Shelf<'_> {
    fn read(&self, index: usize, _job: &Job) -> Result<Arc<[u8]>, Failure> {
        match self.0.get(index) {
            Some(text) => Ok(text.as_bytes().into()),
            None => Err(Failure::SourceUnreadable("the shelf is empty".to_owned())),
        }
    }
}

#[test]
fn sources_come_from_anywhere_and_are_checked() {
    let project = Project::new(&[
        ("a.py", "fine"),
        ("b.py", "reject"),
        ("c.py", "fine too"),
        ("d.py", "fine as well"),
    ]);
    let mut work = project.work(&imaginary_compiler());
    work.roots.clear();
    for job in &mut work.jobs {
        job.output = None;
    }
    for job in &work.jobs {
        std::fs::remove_file(project.path(job.source.as_bytes())).unwrap();
    }
    let shelf = Shelf(&["fine", "reject", "another"]);
    let cancel = AtomicBool::new(false);
    let engine = Scripted::default();
    let report = execute(&Order {
        work: &work,
        expected: &[],
        unplaced: Unplaced::Digest,
        sources: Some(&shelf),
        engine: &engine,
        store: None,
        remote: None,
        elsewhere: None,
        options: &options(),
        events: &|_| {},
        cancel: &cancel,
    });
    expect![[r#"
        a.py: compiled
        b.py: rejected, ? SyntaxError: no | ?
        c.py: SourceChanged
        d.py: SourceUnreadable("the shelf is empty")
    "#]]
    .assert_eq(&ends(&work, &report));
    // What nobody keeps still has a digest.
    assert!(matches!(&report.ends[0], JobEnd::Compiled { output, .. } if output.size > 16));
    assert!(project.made().is_empty());
}
