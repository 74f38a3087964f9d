//! The numbers of names while a record is made. A table of numbers alone, which are compared by the names
//! that they stand for: it borrows nothing of a source, so one table does for all sources of a thread, and
//! making one for each would cost as much as filling it. Knows nothing of imports.

use std::hash::{BuildHasher as _, Hasher as _};

use foldhash::fast::RandomState;

use super::{NONE, Strings};

/// Room that serves as a table of numbers, again and again.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// [`NONE`] where nothing is; a power of two, and at most half full.
    slots: Vec<u32>,
    hasher: RandomState,
}

impl Names {
    /// Forgets all, and makes room for so many.
    pub(super) fn clear(&mut self, names: usize) {
        self.slots.clear();
        self.slots.resize(names.max(8).saturating_mul(2).next_power_of_two(), NONE);
    }

    /// The number of a name, which is added to `strings` if it is new.
    pub(super) fn intern(&mut self, text: &str, strings: &mut Strings) -> u32 {
        if strings.ends.len().saturating_mul(2) >= self.slots.len() {
            self.grow(strings);
        }
        let at = self.place(text, strings);
        let Some(slot) = self.slots.get_mut(at) else { return NONE };
        if *slot == NONE {
            *slot = strings.push(text);
        }
        *slot
    }

    fn grow(&mut self, strings: &Strings) {
        self.clear(self.slots.len());
        for id in (0_u32..).take(strings.ends.len()) {
            let at = self.place(strings.get(id), strings);
            if let Some(slot) = self.slots.get_mut(at) {
                *slot = id;
            }
        }
    }

    /// Where a name is, or belongs.
    fn place(&self, text: &str, strings: &Strings) -> usize {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(text.as_bytes());
        let last = self.slots.len().saturating_sub(1);
        let mut at = hasher.finish() as usize & last;
        while let Some(id) = self.slots.get(at).filter(|id| **id != NONE) {
            if strings.bytes(*id) == text.as_bytes() {
                break;
            }
            at = (at + 1) & last;
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_has_one_number_whatever_came_before() {
        let mut names = Names::default();
        for count in [3, 500, 0, 40] {
            names.clear(count / 10);
            let mut strings = Strings::default();
            for _ in 0..2 {
                for number in 0..count {
                    let id = names.intern(&format!("name{number}"), &mut strings);
                    assert_eq!(id as usize, number);
                    assert_eq!(strings.get(id), format!("name{number}"));
                }
            }
            assert_eq!(strings.ends.len(), count);
        }
    }
}
