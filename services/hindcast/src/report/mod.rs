//! What commands print for people.

pub mod forecast;
pub mod reliability;
pub mod table;
