//! Whether every version of a schema can be read by every other.
