//! A view store that fails now and then, by a seed.
