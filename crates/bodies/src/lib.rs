//! JSON bodies of signals and trades: validation, and the typed events made of them.
