//! Stores that fail: each operation until its first failure, which is said once a store. Knows nothing
//! of what is stored.

use std::sync::atomic::{AtomicBool, Ordering};

use bytekiln_cache::{Store, StoreError};

use crate::{Event, Subscriber};

/// Does something with a store, unless that has failed before (`works` is false then).
pub(crate) fn attempt<T>(
    store: Option<&dyn Store>,
    works: &AtomicBool,
    troubled: &AtomicBool,
    events: Subscriber<'_>,
    operation: impl FnOnce(&dyn Store) -> Result<T, StoreError>,
) -> Option<T> {
    let store = store.filter(|_| works.load(Ordering::Relaxed))?;
    match operation(store) {
        Ok(value) => Some(value),
        Err(error) => {
            works.store(false, Ordering::Relaxed);
            if !troubled.swap(true, Ordering::Relaxed) {
                let message = format!("{}: {error}", store.describe());
                events(&Event::StoreTrouble { message });
            }
            None
        }
    }
}
