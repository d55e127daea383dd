//! Settings as a log: keys, schemas, models, policies and generations, folded from the control topic.
//!
//! Every process reads the topic's one partition from the beginning and keeps the state in memory; a change is a
//! record that names the control offset of its entity it was based on, so that of two racing changes one loses.

pub mod bootstrap;
pub mod change;
pub mod follower;
pub mod generations;
pub mod keys;
pub mod settings;
pub mod writer;

pub use bootstrap::{UsedSchema, bootstrap};
pub use change::{Change, ChangeRecord, Entity};
pub use follower::{Control, ControlConfig};
pub use generations::{GenerationTables, KnownSet, KnownSets, Stage, Step, VerificationSummary};
pub use keys::{ApiKey, ApiKeys};
pub use settings::{ActiveScoring, Settings};
pub use writer::{ChangeError, Requested};
