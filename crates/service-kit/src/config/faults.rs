//! Everything that is wrong with a configuration, told at once.

use std::fmt;

/// A part of the configuration whose values have to fit.
pub trait Validate {
    /// Notes every value that does not fit.
    fn validate(&self, faults: &mut Faults);
}

/// What is wrong so far.
#[derive(Debug, Default)]
pub struct Faults {
    section: Vec<&'static str>,
    found: Vec<String>,
}

impl Faults {
    /// Validates a section; its keys are told with its name in front.
    pub fn section(&mut self, name: &'static str, section: &impl Validate) {
        self.section.push(name);
        section.validate(self);
        self.section.pop();
    }

    /// Notes a fault of a key, or of the whole with an empty key outside all sections.
    pub fn push(&mut self, key: &str, detail: impl fmt::Display) {
        let mut path = self.section.join(".");
        if !path.is_empty() && !key.is_empty() {
            path.push('.');
        }
        let path = path + key;
        self.found.push(if path.is_empty() { detail.to_string() } else { format!("{path}: {detail}") });
    }

    /// Notes a fault unless a condition holds.
    pub fn check(&mut self, holds: bool, key: &str, must: &str) {
        if !holds {
            self.push(key, must);
        }
    }

    /// Notes a fault unless a value is at least `least`.
    pub fn at_least<T: Copy + PartialOrd + fmt::Display>(&mut self, key: &str, value: T, least: T) {
        if value < least {
            self.push(key, format_args!("must be at least {least}; it is {value}"));
        }
    }

    /// Notes a fault unless a value is from `least` to `most`.
    pub fn within<T: Copy + PartialOrd + fmt::Display>(&mut self, key: &str, value: T, least: T, most: T) {
        // Not a negated range check, so that a value without order, NaN, is a fault too.
        if !(value >= least && value <= most) {
            self.push(key, format_args!("must be from {least} to {most}; it is {value}"));
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Succeeds when there is none.
    ///
    /// # Errors
    /// With all of them.
    pub fn into_result(self) -> Result<(), ConfigError> {
        if self.found.is_empty() { Ok(()) } else { Err(ConfigError { faults: self.found }) }
    }
}

/// Everything that is wrong with a configuration, one line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Key and fault, one line each.
    pub faults: Vec<String>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.faults.join("\n"))
    }
}

impl std::error::Error for ConfigError {}

#[cfg(test)]
mod tests {
    use super::*;

    struct Inner(u32);

    impl Validate for Inner {
        fn validate(&self, faults: &mut Faults) {
            faults.within("size", self.0, 1, 9);
            faults.at_least("size", self.0, 4);
            faults.check(self.0.is_multiple_of(2), "", "must be even");
        }
    }

    #[test]
    fn faults_name_section_and_key() {
        let mut faults = Faults::default();
        faults.section("good", &Inner(4));
        assert!(faults.is_empty());
        faults.section("bad", &Inner(11));
        faults.at_least("top", 1, 2);
        faults.within("ratio", f64::NAN, 0.0, 1.0);
        assert_eq!(
            faults.into_result().unwrap_err().faults,
            [
                "bad.size: must be from 1 to 9; it is 11",
                "bad: must be even",
                "top: must be at least 2; it is 1",
                "ratio: must be from 0 to 1; it is NaN"
            ]
        );
    }
}
