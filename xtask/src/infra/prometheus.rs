//! Scraping and alerts, checked by Prometheus' own tool. Whether services tell the metrics that are named is a test of
//! the binary.

use std::path::Path;

use crate::{
    command::{program, root},
    failure::StepResult,
    needs,
};

const FOLDER: &str = "infra/prometheus";

/// Whether the files are valid, and each alert fires when it should and not otherwise.
pub(super) fn check() -> StepResult {
    let promtool = needs::promtool()?;
    let file = |name: &str| root().join(Path::new(FOLDER)).join(name).display().to_string();
    program(&promtool, ["check", "config", &file("prometheus.yml")]).run()?;
    program(&promtool, ["check", "rules", &file("alerts.yml")]).run()?;
    program(&promtool, ["test", "rules", &file("alerts_test.yml")]).run()
}
