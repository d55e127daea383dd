//! `hindcast serve`: runs roles in this process.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

use clap::Args;
use hindcast_service_kit::telemetry;
use serde_json::json;

use crate::{
    exit::{Failure, Outcome},
    serve::{self, Listening, Overrides, ServeConfig},
};

const EXAMPLES: &str = "\
Examples:
  hindcast serve --data ./data
  hindcast serve --config hindcast.toml --roles ingress,confidence";

/// Arguments of `hindcast serve`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ServeArgs {
    /// Configuration (TOML); every key can be overridden by environment, as in HINDCAST_AUTH__BURST
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where to listen
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// Where the data is kept
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Which roles to run: ingress, projector, confidence, admin, builder; all when absent
    #[arg(long, value_name = "ROLE,..", value_delimiter = ',')]
    pub roles: Vec<String>,
}

/// Serves until it is told to stop.
///
/// # Errors
/// When the configuration is wrong or the service can't be started.
pub async fn run(args: ServeArgs, json: bool) -> Result<Outcome, Failure> {
    let overrides = Overrides { listen: args.listen, data: args.data, roles: args.roles };
    let config = ServeConfig::load(args.config.as_deref(), &overrides)?;
    telemetry::init(&config.telemetry).map_err(Failure::failed)?;
    let running = serve::start(config).await?;
    running.stop_on_signals()?;
    let url = |listening: &Listening| format!("http://{}", listening.addr);
    if json {
        let roles: BTreeMap<&str, String> = running
            .listening
            .iter()
            .flat_map(|listening| listening.roles.iter().map(|role| (role.name(), url(listening))))
            .collect();
        let first = running.listening.first().map(url);
        println!("{}", json!({ "listening": first, "roles": roles, "admin_key": running.admin_key }));
    } else {
        for listening in &running.listening {
            let (url, roles) = (url(listening), listening.roles.iter().map(|role| role.name()).collect::<Vec<_>>());
            println!("Hindcast is listening on {url} ({}); what it can do is on {url}/docs", roles.join(", "));
        }
        if let Some(key) = &running.admin_key {
            println!("The admin key of this new system, shown this once: {key}");
        }
    }
    running.stop_wished().await;
    running.shutdown().await?;
    Ok(Outcome::Done)
}
