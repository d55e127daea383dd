//! The membership port: which partitions of the journal a process folds, where several share them.
//!
//! ```text
//! join -> assigned [0 1 2 3]
//!         revoked  [2 3]      another joined: what is folded of these is written before this returns
//!         assigned [2]        another left
//!         lost     [0 1 2]    cut off for too long: others have them already
//! drop -> revoked  [...]      it leaves, so that others take over at once
//! ```
//! What an implementer MUST guarantee:
//! - A partition is revoked from or lost by its owner before it is assigned to another, unless its owner is cut off.
//!   Such an owner learns of its loss once it can; until then two believe to own it. Owners must bear that.
//! - Calls to [`Ownership`] come one at a time, from a thread on which they may block.

use std::{any::Any, fmt, sync::Arc};

use crate::LogError;

/// Told which partitions this process owns.
pub trait Ownership: Send + Sync + 'static {
    /// These are owned from now on.
    fn assigned(&self, partitions: &[u16]);

    /// These go to others once this returns: stops folding them, writes what is folded, and returns for each the
    /// offset to go on from. Blocks, for seconds at most.
    fn revoked(&self, partitions: &[u16]) -> Vec<(u16, u64)>;

    /// These are others' already: forgets them without writing more than is under way.
    fn lost(&self, partitions: &[u16]);

    /// The offsets to go on from, of partitions owned now. For those who watch the lag; asked for every few seconds.
    fn progress(&self) -> Vec<(u16, u64)>;
}

/// A way to share partitions with others.
pub trait Membership: Send {
    /// Becomes a member. The first partitions may be assigned before this returns or any time later.
    ///
    /// # Errors
    /// When it can't become one. That others can't be reached at present is no such reason.
    fn join(self: Box<Self>, ownership: Arc<dyn Ownership>) -> Result<Joined, LogError>;
}

/// Is a member until dropped; dropping it returns after the last partitions were revoked.
pub struct Joined(#[allow(dead_code)] Box<dyn Any + Send + Sync>); // kept to be dropped

impl Joined {
    /// Is a member until `guard` is dropped.
    #[must_use]
    pub fn new(guard: impl Any + Send + Sync) -> Self {
        Self(Box::new(guard))
    }
}

impl fmt::Debug for Joined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Joined")
    }
}

/// The membership of a process that shares nothing: it owns all partitions until it leaves.
#[derive(Debug, Clone, Copy)]
pub struct Alone {
    /// How many there are.
    pub partitions: u16,
}

struct Leaving {
    partitions: Vec<u16>,
    ownership: Arc<dyn Ownership>,
}

impl Membership for Alone {
    fn join(self: Box<Self>, ownership: Arc<dyn Ownership>) -> Result<Joined, LogError> {
        let partitions: Vec<_> = (0..self.partitions).collect();
        ownership.assigned(&partitions);
        Ok(Joined::new(Leaving { partitions, ownership }))
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        // Nobody watches the lag of what nobody else can take over.
        drop(self.ownership.revoked(&self.partitions));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Owner(Mutex<Vec<String>>);

    impl Ownership for Owner {
        fn assigned(&self, partitions: &[u16]) {
            self.0.lock().unwrap().push(format!("assigned {partitions:?}"));
        }
        fn revoked(&self, partitions: &[u16]) -> Vec<(u16, u64)> {
            self.0.lock().unwrap().push(format!("revoked {partitions:?}"));
            Vec::new()
        }
        fn lost(&self, _: &[u16]) {}
        fn progress(&self) -> Vec<(u16, u64)> {
            Vec::new()
        }
    }

    #[test]
    fn who_is_alone_owns_everything_until_he_leaves() {
        let owner = Arc::new(Owner::default());
        let joined = Box::new(Alone { partitions: 3 }).join(owner.clone()).unwrap();
        assert_eq!(*owner.0.lock().unwrap(), ["assigned [0, 1, 2]"]);
        drop(joined);
        assert_eq!(*owner.0.lock().unwrap(), ["assigned [0, 1, 2]", "revoked [0, 1, 2]"]);
    }
}
