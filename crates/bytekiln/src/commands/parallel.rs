//! One function over many items on several threads, with a bar. Knows nothing of what it does.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many items a thread takes at once.
const STRIDE: usize = 8;

/// `function` of each item, in the order of the items.
pub(crate) fn map<T: Sync, R: Send>(
    items: &[T],
    threads: NonZeroUsize,
    function: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done: Vec<(usize, Vec<R>)> = Vec::new();
        loop {
            let start = next.fetch_add(STRIDE, Ordering::Relaxed);
            match items.get(start..) {
                None | Some([]) => return done,
                Some(rest) => done.push((start, rest.iter().take(STRIDE).map(&function).collect())),
            }
        }
    };
    let threads = threads.get().min(items.len().div_ceil(STRIDE)).max(1);
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
    done.into_iter().flat_map(|(_, results)| results).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..1000).collect();
        for threads in [1, 2, 7] {
            let threads = NonZeroUsize::new(threads).expect("not zero");
            let doubled: Vec<usize> = items.iter().map(|item| item * 2).collect();
            assert_eq!(map(&items, threads, |item| item * 2), doubled);
            assert_eq!(map(&[], threads, |item: &usize| *item), [0_usize; 0]);
        }
    }
}
