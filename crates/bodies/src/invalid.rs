//! Why a body is refused.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

/// One fault of a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) to the faulty value; empty for the whole body.
    #[schema(example = "/rsi")]
    pub pointer: String,
    /// What is wrong with it, in words.
    #[schema(example = "must be a number from 0 to 100")]
    pub detail: String,
}

impl FieldError {
    /// A fault of the value that a pointer names.
    #[must_use]
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), detail: detail.into() }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "the body" } else { &self.pointer };
        write!(f, "{place} {}", self.detail)
    }
}

/// Why a body is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invalid {
    /// It is no JSON text that this program reads: broken syntax, invalid UTF-8, a number beyond 64-bit floats, nested
    /// too deeply. Where in it is part of the detail.
    Malformed {
        /// What is wrong, in words.
        detail: String,
    },
    /// It is JSON, but not this body. All faults at once, at least one.
    Fields(Vec<FieldError>),
}

impl Invalid {
    /// A body with one fault.
    #[must_use]
    pub fn field(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Fields(vec![FieldError::new(pointer, detail)])
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { detail } => write!(f, "not readable as JSON: {detail}"),
            Self::Fields(faults) => {
                for (index, fault) in faults.iter().enumerate() {
                    let separator = if index == 0 { "" } else { "; " };
                    write!(f, "{separator}{fault}")?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for Invalid {}
