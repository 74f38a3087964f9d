//! What fits together, what does not, and that both sides are named.

use expect_test::{Expect, expect};

use super::*;

fn item(line: &str) -> Item {
    let (path, kind) = match line.split_once(" -> ") {
        Some((path, target)) => (path, ItemKind::Symlink(target.as_bytes().to_vec())),
        None => match line.strip_suffix('/') {
            Some(path) => (path, ItemKind::Directory),
            None => {
                let content = Content::Bytes(line.as_bytes().into());
                (line, ItemKind::File { content, executable: false })
            }
        },
    };
    Item { path: RepoPath::new(path.as_bytes()).unwrap(), kind }
}

fn check_as(lines: &[&str], links: Links, expected: &Expect) {
    let told = |items: Vec<Item>| match lay_out(items, links) {
        Ok(entries) => {
            let lines = entries.items().iter().enumerate().map(|(at, item)| match &item.kind {
                ItemKind::Directory if entries.is_empty_folder(at) => {
                    format!("{}/ empty\n", item.path)
                }
                ItemKind::Directory => format!("{}/\n", item.path),
                ItemKind::Symlink(target) => {
                    format!("{} -> {}\n", item.path, target.escape_ascii())
                }
                ItemKind::File { .. } => format!("{}\n", item.path),
            });
            lines.collect()
        }
        Err(error) => error.to_string(),
    };
    let items: Vec<Item> = lines.iter().map(|line| item(line)).collect();
    expected.assert_eq(&told(items.clone()));
    expected.assert_eq(&told(items.into_iter().rev().collect()));
}

fn check(lines: &[&str], expected: Expect) {
    check_as(lines, Links::Relative, &expected);
}

#[test]
fn sorted_by_bytes_with_the_folders_above() {
    check(
        &["a/b/c.py", "a.py", "a-b/x", "empty/", "a/", "a/b.py", "é"],
        expect![[r#"
            a/
            a-b/
            a-b/x
            a.py
            a/b/
            a/b.py
            a/b/c.py
            empty/ empty
            é
        "#]],
    );
    check(&[], expect![""]);
}

#[test]
fn both_sides_are_named() {
    check(
        &["a", "a"],
        expect!["`a` would be there twice: a made file of 1 bytes, and a made file of 1 bytes"],
    );
    check(&["a/", "a"], expect!["`a` would be there twice: a folder, and a made file of 1 bytes"]);
    check(
        &["a/b/c", "a/b -> ../x"],
        expect![
            "`a/b` (a link to `../x`) is no folder, but `a/b/c` (a made file of 5 bytes) would lie below it"
        ],
    );
    check(
        &["a/b/c/d", "a", "a-b"],
        expect![
            "`a` (a made file of 1 bytes) is no folder, but `a/b/c/d` (a made file of 7 bytes) would lie below it"
        ],
    );
}

#[test]
fn links_stay_inside() {
    check(
        &["a/b -> ../c", "c -> a", "lost -> nowhere"],
        expect![[r#"
            a/
            a/b -> ../c
            c -> a
            lost -> nowhere
        "#]],
    );
    check(&["a -> ../x"], expect!["`a` is a link to `../x`, which leads out of the artifact"]);
    // Through a folder that is not there yet.
    check(
        &["a -> none/../../x"],
        expect!["`a` is a link to `none/../../x`, which leads out of the artifact"],
    );
    // Each by itself stays inside.
    check(
        &["a/b -> ..", "c -> a/b/../x"],
        expect!["`c` is a link to `a/b/../x`, which leads out of the artifact"],
    );
    check(
        &["a -> /usr/bin/python3"],
        expect!["`a` is a link to `/usr/bin/python3`, which leads out of the artifact"],
    );
    let rooted = expect![[r#"
        bin/
        bin/python -> /usr/bin/python3
    "#]];
    check_as(&["bin/python -> /usr/bin/python3"], Links::Rooted, &rooted);
    check(&["a -> "], expect!["`a` is a link whose target no file system takes: 0 bytes, ``"]);
}
