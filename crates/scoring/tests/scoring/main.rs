//! What the model and the policy promise, checked on books made by hand.

mod books;
mod golden;
mod kernel;
mod policy;
mod properties;
mod published;
