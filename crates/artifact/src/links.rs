//! Where links lead, told from the entries alone: the same for folders and archives, and nothing
//! outside can be reached. Knows nothing of the file system.

use crate::{Entry, EntryKind};

/// Links in a row before it is called a circle; as Linux has it.
const LONGEST_CHAIN: usize = 40;

/// What a path stands for once all links are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Destination {
    /// This entry, which is no link.
    Entry(usize),
    /// The artifact's own folder.
    Root,
    /// Something outside.
    Outside,
    /// Nothing, or a circle.
    Nowhere,
}

/// Which entry has this path; they are sorted.
pub(crate) fn find(entries: &[Entry], path: &[u8]) -> Option<usize> {
    entries.binary_search_by(|entry| entry.path.as_bytes().cmp(path)).ok()
}

/// Follows the link that is entry `index`. `root` is where absolute targets may lead back inside.
pub(crate) fn follow(entries: &[Entry], index: usize, root: Option<&[u8]>) -> Destination {
    let Some(entry) = entries.get(index) else { return Destination::Nowhere };
    let mut todo: Vec<Vec<u8>> = Vec::new();
    push_parts(&mut todo, entry.path.as_bytes());
    let mut at: Vec<u8> = Vec::new();
    let mut here = Destination::Root;
    let mut links = 0;
    while let Some(part) = todo.pop() {
        match part.as_slice() {
            b"" | b"." => continue,
            b".." => {
                if at.is_empty() {
                    return Destination::Outside;
                }
                let slash = at.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
                at.truncate(slash);
                here = if at.is_empty() {
                    Destination::Root
                } else {
                    find(entries, &at).map_or(Destination::Root, Destination::Entry)
                };
                continue;
            }
            _ => {}
        }
        let before = at.len();
        if before > 0 {
            at.push(b'/');
        }
        at.extend_from_slice(&part);
        let Some(found) = find(entries, &at) else {
            // Archives need not list folders.
            if todo.is_empty() || !has_below(entries, &at) {
                return Destination::Nowhere;
            }
            continue;
        };
        here = Destination::Entry(found);
        if let Some(Entry { kind: EntryKind::Symlink(target), .. }) = entries.get(found) {
            links += 1;
            if links > LONGEST_CHAIN {
                return Destination::Nowhere;
            }
            at.truncate(before);
            if target.starts_with(b"/") {
                let Some(inside) = root.and_then(|root| below(root, target)) else {
                    return Destination::Outside;
                };
                at.clear();
                push_parts(&mut todo, inside);
            } else {
                push_parts(&mut todo, target);
            }
            here = Destination::Root;
        }
    }
    here
}

fn push_parts(todo: &mut Vec<Vec<u8>>, path: &[u8]) {
    todo.extend(path.split(|byte| *byte == b'/').rev().map(<[u8]>::to_vec));
}

fn below<'a>(root: &[u8], target: &'a [u8]) -> Option<&'a [u8]> {
    target.strip_prefix(root)?.strip_prefix(b"/")
}

fn has_below(entries: &[Entry], folder: &[u8]) -> bool {
    let mut prefix = folder.to_vec();
    prefix.push(b'/');
    let start = entries.partition_point(|entry| entry.path.as_bytes() < prefix.as_slice());
    entries.get(start).is_some_and(|entry| entry.path.as_bytes().starts_with(&prefix))
}

/// Sorts, takes out duplicates and says so. The last one stays: it is what `zipimport` takes, and
/// what is left when a tar has been unpacked.
pub(crate) fn sort_entries<T>(
    mut listed: Vec<(Entry, T)>,
    problems: &mut Vec<crate::EntryProblem>,
) -> (Vec<Entry>, Vec<T>) {
    // Stable: those with one name keep their order.
    listed.sort_by(|a, b| a.0.path.cmp(&b.0.path));
    let mut entries: Vec<Entry> = Vec::with_capacity(listed.len());
    let mut places = Vec::with_capacity(listed.len());
    for (entry, place) in listed {
        let twice = entries.last_mut().zip(places.last_mut());
        match twice.filter(|(last, _)| last.path == entry.path) {
            Some((last, last_place)) => {
                // Tars list a folder as often as they like.
                if (&last.kind, &entry.kind) != (&EntryKind::Directory, &EntryKind::Directory) {
                    problems.push(crate::EntryProblem {
                        name: entry.path.as_bytes().to_vec(),
                        kind: crate::EntryProblemKind::Duplicate,
                    });
                }
                (*last, *last_place) = (entry, place);
            }
            None => {
                entries.push(entry);
                places.push(place);
            }
        }
    }
    (entries, places)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Modified;
    use bytekiln_action::RepoPath;

    fn check(fixture: &[(&str, Option<&str>)], path: &str, expect: &str) {
        let mut entries: Vec<Entry> = fixture
            .iter()
            .map(|(path, target)| Entry {
                path: RepoPath::new(path.as_bytes()).unwrap(),
                kind: target
                    .map_or(EntryKind::File, |target| EntryKind::Symlink(target.as_bytes().into())),
                executable: false,
                size: 0,
                modified: Modified::Unix { seconds: 0, nanoseconds: 0 },
            })
            .collect();
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        let index = find(&entries, path.as_bytes()).unwrap();
        let found = match follow(&entries, index, Some(b"/tree")) {
            Destination::Entry(index) => entries[index].path.to_string(),
            other => format!("{other:?}"),
        };
        assert_eq!(found, expect, "{path}");
    }

    #[test]
    fn links_are_followed_inside_only() {
        let tree = [
            ("lib/a.py", None),
            ("lib64", Some("lib")),
            ("b.py", Some("lib64/a.py")),
            ("c.py", Some("./x/../b.py")),
            ("x/d.py", Some("../b.py")),
            ("e.py", Some("../e.py")),
            ("f.py", Some("/etc/passwd")),
            ("g.py", Some("/tree/lib/a.py")),
            ("h.py", Some("i.py")),
            ("i.py", Some("h.py")),
            ("j.py", Some("none.py")),
            ("k", Some(".")),
        ];
        check(&tree, "b.py", "lib/a.py");
        check(&tree, "c.py", "lib/a.py");
        check(&tree, "x/d.py", "lib/a.py");
        check(&tree, "e.py", "Outside");
        check(&tree, "f.py", "Outside");
        check(&tree, "g.py", "lib/a.py");
        check(&tree, "h.py", "Nowhere");
        check(&tree, "j.py", "Nowhere");
        check(&tree, "k", "Root");
    }
}
