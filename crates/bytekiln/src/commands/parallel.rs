//! One function over many items, each of them much work, on several threads. Knows nothing of what it
//! does.

use std::num::NonZeroUsize;

use bytekiln_project::map_in_parallel;

/// How many items a thread takes at once.
const STRIDE: usize = 8;

/// `function` of each item, in the order of the items.
pub(crate) fn map<T: Sync, R: Send>(
    items: &[T],
    threads: NonZeroUsize,
    function: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    map_in_parallel(items, threads, STRIDE, || (), |(), item| function(item))
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
