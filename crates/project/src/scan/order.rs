//! Puts what the threads of a walk found, each in some folders, into the order of paths. Bytewise that is
//! the order of a descent in which a folder stands where `name/` would: so names are compared with those
//! in the same folder only, and every file is moved once. Knows no disk.

use std::num::NonZeroUsize;
use std::ops::Range;

use bytekiln_action::RepoPath;

use super::queue::{Queue, Task};
use super::{FoundFile, FoundFolder};

/// Where a folder that was listed belongs.
#[derive(Debug, Clone)]
struct Place {
    /// Of its task.
    number: u32,
    /// Of the tasks of the folders in it, in the order of `name/`.
    below: Range<u32>,
    /// See [`Task::before`].
    before: u32,
    /// Where its files are.
    files: Range<usize>,
    /// The folders in it have another order by name: `a` comes before `a-b`, but `a-b/` before `a/`.
    tangled: bool,
}

/// What one thread found: of each folder its place and itself, and the files of all.
#[derive(Default)]
pub(super) struct Listings {
    places: Vec<Place>,
    folders: Vec<Option<FoundFolder>>,
    files: Vec<Option<FoundFile>>,
}

impl Listings {
    /// Adds a file of the folder that is added next. They come in the order of names.
    pub(super) fn file(&mut self, file: FoundFile) {
        self.files.push(Some(file));
    }

    /// Adds the folder of the task `number`. What is `below` is numbered, and put from the order of names into
    /// that of `name/`.
    pub(super) fn folder(
        &mut self,
        (number, before): (u32, u32),
        folder: FoundFolder,
        below: &mut [Task],
        queue: &Queue,
    ) {
        let start = self.places.last().map_or(0, |place| place.files.end);
        let files = self.files.get(start..).unwrap_or_default();
        let path = &folder.path;
        let skip = if path.is_root() { 0 } else { path.as_bytes().len() + 1 };
        let tangled = below.windows(2).any(
            |pair| matches!(pair, [a, b] if precedes(tail(&b.path, skip), tail(&a.path, skip))),
        );
        if tangled {
            let key = |task: &Task| [tail(&task.path, skip), b"/"].concat();
            below.sort_by_cached_key(key);
        }
        let mut at = 0;
        for task in &mut *below {
            let name = tail(&task.path, skip);
            while let Some(Some(file)) = files.get(at)
                && precedes(tail(&file.path, skip), name)
            {
                at += 1;
            }
            task.before = count(at);
        }
        let first = queue.number(below);
        let below = first..first.saturating_add(count(below.len()));
        let files = start..self.files.len();
        self.places.push(Place { number, below, before, files, tangled });
        self.folders.push(Some(folder));
    }
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn tail(path: &RepoPath, skip: usize) -> &[u8] {
    path.as_bytes().get(skip..).unwrap_or_default()
}

/// Whether `name` comes before `folder/`.
fn precedes(name: &[u8], folder: &[u8]) -> bool {
    match name.strip_prefix(folder) {
        Some(rest) => rest.first() < Some(&b'/'),
        None => name < folder,
    }
}

/// Which folder of which thread has each number; those that could not be listed are nowhere.
struct Table(Vec<Option<(u32, u32)>>);

impl Table {
    fn new(places: &[Vec<Place>], numbers: u32) -> Table {
        let mut table = vec![None; numbers as usize];
        for (thread, places) in (0_u32..).zip(places) {
            for (at, place) in (0_u32..).zip(places) {
                if let Some(slot) = table.get_mut(place.number as usize) {
                    *slot = Some((thread, at));
                }
            }
        }
        Table(table)
    }

    fn find(&self, number: u32) -> Option<(usize, usize)> {
        let (thread, at) = (*self.0.get(number as usize)?)?;
        Some((thread as usize, at as usize))
    }
}

/// Folders by path, and files by path and member, each file as what `make` makes of it. The walk began with
/// `starts`, in their order.
pub(super) fn in_order<T: Send>(
    listings: Vec<Listings>,
    queue: &Queue,
    starts: u32,
    threads: NonZeroUsize,
    make: impl Fn(FoundFile) -> T + Sync,
) -> (Vec<FoundFolder>, Vec<T>) {
    let (mut places, mut own, mut files) = (Vec::new(), Vec::new(), Vec::new());
    for listing in listings {
        places.push(listing.places);
        own.push(listing.folders);
        files.push(listing.files);
    }
    let table = Table::new(&places, queue.given());
    let folders = || {
        let mut folders = folders_in_order(own, &places, &table, starts);
        if starts > 1 {
            // One start may lie in another.
            folders.sort_by(|a, b| a.path.cmp(&b.path));
            folders.dedup_by(|a, b| a.path == b.path);
        }
        folders
    };
    let files = || {
        if starts <= 1 {
            return files_in_order(files, &places, &table, starts, &make);
        }
        let mut files = files_in_order(files, &places, &table, starts, |file| file);
        files.sort_by(|a, b| (&a.path, a.member).cmp(&(&b.path, b.member)));
        files.into_iter().map(&make).collect()
    };
    crate::parallel::beside(threads, folders, files)
}

/// A folder whose files are being taken.
struct Open {
    thread: usize,
    files: Range<usize>,
    taken: u32,
    below: Range<u32>,
}

fn files_in_order<T>(
    mut files: Vec<Vec<Option<FoundFile>>>,
    places: &[Vec<Place>],
    table: &Table,
    starts: u32,
    make: impl Fn(FoundFile) -> T,
) -> Vec<T> {
    let mut all = Vec::with_capacity(files.iter().map(Vec::len).sum());
    let mut take = |thread: usize, range: Range<usize>| {
        let files = files.get_mut(thread).and_then(|files| files.get_mut(range));
        all.extend(files.unwrap_or_default().iter_mut().filter_map(Option::take).map(&make));
    };
    let mut stack = vec![Open { thread: 0, files: 0..0, taken: 0, below: 0..starts }];
    while let Some(open) = stack.last_mut() {
        let Some(number) = open.below.next() else {
            take(open.thread, open.files.clone());
            stack.pop();
            continue;
        };
        let Some((thread, at)) = table.find(number) else { continue };
        let Some(place) = places.get(thread).and_then(|places| places.get(at)) else { continue };
        let more = place.before.saturating_sub(open.taken);
        let end = open.files.start.saturating_add(more as usize).min(open.files.end);
        take(open.thread, open.files.start..end);
        open.files.start = end;
        open.taken = place.before;
        let (files, below) = (place.files.clone(), place.below.clone());
        stack.push(Open { thread, files, taken: 0, below });
    }
    all
}

/// What comes next: a folder, or what is in it.
enum Step {
    Folder(u32),
    Below(u32),
}

fn folders_in_order(
    mut folders: Vec<Vec<Option<FoundFolder>>>,
    places: &[Vec<Place>],
    table: &Table,
    starts: u32,
) -> Vec<FoundFolder> {
    let mut all = Vec::with_capacity(folders.iter().map(Vec::len).sum());
    // The next is the last.
    let mut stack = Vec::new();
    let in_turn = |stack: &mut Vec<Step>, below: Range<u32>| {
        for number in below.rev() {
            stack.extend([Step::Below(number), Step::Folder(number)]);
        }
    };
    in_turn(&mut stack, 0..starts);
    while let Some(step) = stack.pop() {
        let (Step::Folder(number) | Step::Below(number)) = step;
        let Some((thread, at)) = table.find(number) else { continue };
        if let Step::Folder(_) = step {
            let folder = folders.get_mut(thread).and_then(|folders| folders.get_mut(at));
            all.extend(folder.and_then(Option::take));
            continue;
        }
        let Some(place) = places.get(thread).and_then(|places| places.get(at)) else { continue };
        if !place.tangled {
            in_turn(&mut stack, place.below.clone());
            continue;
        }
        let mut steps = Vec::new();
        for number in place.below.clone() {
            let Some((thread, at)) = table.find(number) else { continue };
            let folder = folders.get(thread).and_then(|folders| folders.get(at));
            let Some(Some(folder)) = folder else { continue };
            let path = folder.path.as_bytes();
            steps.push((path.to_vec(), Step::Folder(number)));
            steps.push(([path, b"/"].concat(), Step::Below(number)));
        }
        steps.sort_by(|a, b| b.0.cmp(&a.0));
        stack.extend(steps.into_iter().map(|(_, step)| step));
    }
    all
}

#[cfg(test)]
mod tests;
