//! Why a step failed.

use std::fmt;

/// What is wrong and, where that is known, what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    what: String,
    remedy: Option<String>,
}

impl Failure {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), remedy: None }
    }

    pub(crate) fn with_remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match &self.remedy {
            Some(remedy) => write!(f, "\n  {remedy}"),
            None => Ok(()),
        }
    }
}

impl From<hindcast_test_services::Error> for Failure {
    fn from(error: hindcast_test_services::Error) -> Self {
        // It says what to do itself.
        Self::new(error.to_string())
    }
}

/// What a step gives.
pub(crate) type StepResult = Result<(), Failure>;
