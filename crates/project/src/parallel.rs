//! One function over a slice on several threads, its results in order or as they come, or two functions
//! beside each other. Knows nothing of what they do.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// How many items a thread takes at once.
const STRIDE: usize = 64;

/// `function` of each item, in the order of the items. `make` gives each thread a scratch value.
pub(crate) fn map<T: Sync, S, R: Send>(
    items: &[T],
    threads: NonZeroUsize,
    make: impl Fn() -> S + Sync,
    function: impl Fn(&mut S, &T) -> R + Sync,
) -> Vec<R> {
    map_by(items, threads, STRIDE, make, function)
}

/// `function` of each item, in the order of the items, with `stride` items a thread takes at once: few
/// if each is much work. `make` gives each thread a scratch value.
pub fn map_by<T: Sync, S, R: Send>(
    items: &[T],
    threads: NonZeroUsize,
    stride: usize,
    make: impl Fn() -> S + Sync,
    function: impl Fn(&mut S, &T) -> R + Sync,
) -> Vec<R> {
    let mut all = Vec::with_capacity(items.len());
    for results in map_parts(items, threads, stride, make, function) {
        all.extend(results);
    }
    all
}

/// The same, in the lists in which the threads have put the results: to bring many large ones together takes
/// as much memory again.
pub(crate) fn map_parts<T: Sync, S, R: Send>(
    items: &[T],
    threads: NonZeroUsize,
    stride: usize,
    make: impl Fn() -> S + Sync,
    function: impl Fn(&mut S, &T) -> R + Sync,
) -> impl Iterator<Item = Vec<R>> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut scratch = make();
        let mut done = Vec::new();
        loop {
            let start = next.fetch_add(stride, Ordering::Relaxed);
            let Some(rest) = items.get(start..) else { return done };
            if rest.is_empty() {
                return done;
            }
            let results: Vec<R> =
                rest.iter().take(stride).map(|item| function(&mut scratch, item)).collect();
            done.push((start, results));
        }
    };
    let threads = threads.get().min(items.len().div_ceil(stride)).max(1);
    let mut done = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut done = work();
        for other in others {
            match other.join() {
                Ok(more) => done.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_unstable_by_key(|(start, _)| *start);
    done.into_iter().map(|(_, results)| results)
}

/// `function` of each item on all threads; `take` gets the results one after the other, in whatever order they
/// come. Only a few of them wait, so that they need not all be held.
pub(crate) fn stream<T: Sync, R: Send, O>(
    items: &[T],
    threads: NonZeroUsize,
    function: impl Fn(&T) -> R + Sync,
    take: impl FnOnce(&mut dyn Iterator<Item = R>) -> O,
) -> O {
    if threads.get() == 1 {
        return take(&mut items.iter().map(function));
    }
    let next = AtomicUsize::new(0);
    let (give, got) = std::sync::mpsc::sync_channel(threads.get());
    std::thread::scope(|scope| {
        for _ in 0..threads.get().min(items.len()) {
            let (give, next, function) = (give.clone(), &next, &function);
            scope.spawn(move || {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if give.send(function(item)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(give);
        take(&mut got.into_iter())
    })
}

/// `function` of each item, in whatever order.
pub(crate) fn each<T: Send>(
    items: &mut [T],
    threads: NonZeroUsize,
    function: impl Fn(&mut T) + Sync,
) {
    if threads.get() == 1 {
        return items.iter_mut().for_each(function);
    }
    let count = threads.get().min(items.len());
    let items = Mutex::new(items.iter_mut());
    let work = || {
        let next = || items.lock().unwrap_or_else(PoisonError::into_inner).next();
        while let Some(item) = next() {
            function(item);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..count {
            scope.spawn(work);
        }
        work();
    });
}

/// Both, at the same time if there are several threads.
pub(crate) fn beside<A: Send, B>(
    threads: NonZeroUsize,
    other: impl FnOnce() -> A + Send,
    own: impl FnOnce() -> B,
) -> (A, B) {
    if threads.get() == 1 {
        return (other(), own());
    }
    std::thread::scope(|scope| {
        let other = scope.spawn(other);
        let own = own();
        match other.join() {
            Ok(other) => (other, own),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}
