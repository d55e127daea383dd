//! The names of strategies that a book refers to.

/// The names of strategies that a book's trades and signals refer to, sorted; they refer by index.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Strategies {
    names: Vec<Box<str>>,
    /// How many references there are to each.
    uses: Vec<u32>,
}

impl Strategies {
    /// The index of a name, if something refers to it.
    #[must_use]
    pub fn index_of(&self, name: &str) -> Option<u16> {
        let index = self.names.iter().position(|known| **known == *name)?;
        u16::try_from(index).ok()
    }

    /// The name of an index; `None` for [`super::OTHER_STRATEGY`].
    #[must_use]
    pub fn name(&self, index: u16) -> Option<&str> {
        self.names.get(usize::from(index)).map(AsRef::as_ref)
    }

    /// All names, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(AsRef::as_ref)
    }
}
