//! The steps of the test command.

use clap::ValueEnum;

use crate::{bench, command::cargo, dependencies, every_test, failure::StepResult, infra, needs};

/// One step, in the order in which they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Step {
    /// rustfmt finds nothing to change
    Format,
    /// clippy finds nothing, in any target of any crate
    Lint,
    /// licences, bans and sources of all dependencies are as deny.toml wants them
    Dependencies,
    /// image, compose file, alerts and proxy are valid and do what they should
    Infra,
    /// every test, examples in the documentation included, and those against Kafka, Cassandra and a registry; then every
    /// benchmark on these services for a second
    Test,
    /// every benchmark runs for a second on the embedded engine; no figure is judged
    Bench,
}

impl Step {
    pub(crate) const ALL: [Self; 6] =
        [Self::Format, Self::Lint, Self::Dependencies, Self::Infra, Self::Test, Self::Bench];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::Lint => "lint",
            Self::Dependencies => "dependencies",
            Self::Infra => "infra",
            Self::Test => "test",
            Self::Bench => "bench",
        }
    }

    pub(crate) fn run(self) -> StepResult {
        match self {
            Self::Format => {
                needs::component("rustfmt", "fmt")?;
                cargo(["fmt", "--all", "--check"])
                    .run()
                    .map_err(|failure| failure.with_remedy("cargo fmt --all mends it"))
            }
            Self::Lint => {
                needs::component("clippy", "clippy")?;
                needs::openssl_headers()?;
                let workspace = ["clippy", "--locked", "--workspace", "--all-targets"];
                let deny = ["--", "--deny", "warnings"];
                cargo(workspace.into_iter().chain(every_test::features()).chain(deny)).run()
            }
            Self::Dependencies => dependencies::check(),
            Self::Infra => infra::check(),
            Self::Test => every_test::run(),
            Self::Bench => bench::run_all(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_all_and_have_the_names_of_the_command_line() {
        assert_eq!(Step::value_variants(), Step::ALL);
        for step in Step::ALL {
            assert_eq!(step.to_possible_value().unwrap().get_name(), step.name());
        }
    }
}
