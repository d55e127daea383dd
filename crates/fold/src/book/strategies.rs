//! The names of strategies that a book refers to.

/// The index that stands for every strategy that a book can't name: one whose name is too long, or that came when
/// [`MAX_STRATEGIES`] others were in use. Nothing joins by price under it, since two such strategies may differ.
pub const OTHER_STRATEGY: u16 = u16::MAX;
/// How many strategies the trades and signals of a book can name at one time.
pub const MAX_STRATEGIES: usize = 64;
/// Longest name of a strategy that a book takes, in bytes.
pub const MAX_STRATEGY_BYTES: usize = 256;

/// The names of strategies that a book's trades and signals refer to, sorted; they refer by index.
///
/// A name that nothing refers to any more is gone. So the names are those of what the book holds, whatever came and
/// went before, and they are bounded without ever running out for good.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Strategies {
    names: Vec<Box<str>>,
    /// How many references there are to each.
    uses: Vec<u32>,
}

/// The index a name got, and whether the indexes from there on have moved up by one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Interned {
    pub(super) index: u16,
    pub(super) is_new: bool,
}

impl Strategies {
    /// The index of a name, if something refers to it.
    #[must_use]
    pub fn index_of(&self, name: &str) -> Option<u16> {
        index(self.names.iter().position(|known| **known == *name)?)
    }

    /// The name of an index; `None` for [`OTHER_STRATEGY`].
    #[must_use]
    pub fn name(&self, index: u16) -> Option<&str> {
        self.names.get(usize::from(index)).map(AsRef::as_ref)
    }

    /// All names, sorted.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.names.iter().map(AsRef::as_ref)
    }

    /// Adds a reference to a name.
    pub(super) fn intern(&mut self, name: &str) -> Interned {
        const OTHER: Interned = Interned { index: OTHER_STRATEGY, is_new: false };
        let (place, is_new) = match self.names.binary_search_by(|known| known.as_ref().cmp(name)) {
            Ok(place) => (place, false),
            Err(_) if self.names.len() >= MAX_STRATEGIES || name.len() > MAX_STRATEGY_BYTES => return OTHER,
            Err(place) => {
                self.names.insert(place, name.into());
                self.uses.insert(place, 0);
                (place, true)
            }
        };
        match (index(place), self.uses.get_mut(place)) {
            (Some(index), Some(uses)) => {
                *uses += 1;
                Interned { index, is_new }
            }
            _ => OTHER,
        }
    }

    /// Takes a reference back; whether the name has none left and must be removed.
    #[must_use]
    pub(super) fn release(&mut self, index: u16) -> bool {
        match self.uses.get_mut(usize::from(index)) {
            Some(uses) => {
                *uses = uses.saturating_sub(1);
                *uses == 0
            }
            None => false,
        }
    }

    /// Removes one name without references; indexes above the one returned move down by one.
    pub(super) fn remove_unused(&mut self) -> Option<u16> {
        let place = self.uses.iter().position(|uses| *uses == 0)?;
        self.names.remove(place);
        self.uses.remove(place);
        index(place)
    }

    /// Appends a name when reading a row, in which names stand in order; whether it can stand there.
    #[must_use]
    pub(super) fn append(&mut self, name: &str) -> bool {
        let fits = self.names.len() < MAX_STRATEGIES
            && name.len() <= MAX_STRATEGY_BYTES
            && self.names.last().is_none_or(|last| **last < *name);
        if fits {
            self.names.push(name.into());
            self.uses.push(0);
        }
        fits
    }

    /// Adds a reference to an index when reading a row; whether there is such an index.
    #[must_use]
    pub(super) fn refer(&mut self, index: u16) -> bool {
        match self.uses.get_mut(usize::from(index)) {
            Some(uses) => {
                *uses += 1;
                true
            }
            None => index == OTHER_STRATEGY,
        }
    }

    pub(super) fn has_unused(&self) -> bool {
        self.uses.contains(&0)
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let entry_bytes = size_of::<Box<str>>() + size_of::<u32>();
        self.names.capacity() * entry_bytes + self.names.iter().map(|name| name.len()).sum::<usize>()
    }
}

fn index(place: usize) -> Option<u16> {
    u16::try_from(place).ok()
}
