//! `hindcast demo`: the whole system on one machine, with a market to watch.

mod feed;
mod lesson;
mod trader;

use std::{
    net::SocketAddr,
    path::PathBuf,
    time::{Duration, Instant},
};

use clap::Args;
use futures::future::try_join_all;
use hindcast_service_kit::{shutdown::Shutdown, telemetry};
use serde_json::json;

use self::{feed::Feed, lesson::Lesson, trader::Trader};
use crate::{
    cli::API_KEY_VARIABLE,
    client::{Client, RetryLimits, bodies::KeyRequest},
    exit::{Failure, Outcome},
    output::{print, print_json},
    progress,
    serve::{self, Overrides, Role, Running, ServeConfig},
    strategy::{Bot, Params},
};

const EXAMPLES: &str = "\
Examples:
  hindcast demo                               a synthetic market, then serve until Ctrl-C
  hindcast demo --speed 200 --users 2         slow enough to watch
  hindcast demo --bars es_1min.csv.gz --exit  real minutes; print what was learned and end
  hindcast demo --config infra/local/kafka.toml  on Kafka, a CQL store and a registry

A demo begins empty, and nothing is left of it. With --data it goes on from what is there and keeps it: in that folder,
and on Kafka and a CQL store in the topics and the keyspace of the configuration.";

/// Bars a second that a clock can still tick.
const MAX_SPEED: i64 = 100_000;

/// Arguments of `hindcast demo`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DemoArgs {
    /// Real one-minute bars (timestamp,open,high,low,close,volume; .csv or .csv.gz) in place of the synthetic market
    #[arg(long, value_name = "FILE")]
    pub bars: Option<PathBuf>,
    /// How many users trade
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub users: u8,
    /// Bars a second; as fast as it goes when absent
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MAX_SPEED))]
    pub speed: Option<u32>,
    /// Keep the data here, and what the configuration keeps elsewhere too; all of it is temporary when absent
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Configuration of the service
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where to serve
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// Instruments of the market: ES and NQ when absent; with --bars the one that the bars are of, ES when absent
    #[arg(long, value_name = "SYMBOL,..", value_delimiter = ',')]
    pub symbols: Vec<String>,
    /// Seed of the synthetic market: the same seed gives the same market
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "bars")]
    pub seed: u64,
    /// End after printing what was learned, in place of serving on
    #[arg(long)]
    pub exit: bool,
}

/// What topics, the consumer group and the keyspace of a demo that begins empty are called.
const OWN: &str = "demo";
/// Far beyond what a demo can send, so that the limit of a user never slows it.
const REQUESTS_PER_MINUTE: u32 = 10_000_000;
/// What was learned so far is judged anew this often.
const BARS_BETWEEN_MESSAGES: u64 = 1_000;

/// Runs the demo.
///
/// # Errors
/// When the service can't be started, the bars can't be read or a request fails for good.
pub async fn run(args: DemoArgs, json: bool) -> Result<Outcome, Failure> {
    let folder = tempfile::tempdir().map_err(|error| Failure::failed(format!("no temporary folder: {error}")))?;
    let config = configuration(&args, folder.path().join("data"))?;
    let made = args.data.is_none().then(|| config.clone());
    let played = play_on(config, args, json).await;
    if let Some(made) = made {
        let removed = serve::remove(&made)
            .await
            .map_err(|failure| Failure::failed(format_args!("{failure}; what is named {OWN}-… or {OWN}_… can go")));
        return played.and_then(|played| removed.map(|()| played));
    }
    played
}

async fn play_on(config: ServeConfig, args: DemoArgs, json: bool) -> Result<Outcome, Failure> {
    let instruments = config.instruments.clone();
    let mut feed = match &args.bars {
        Some(path) => Feed::of_file(path, &args.symbols, &instruments)?,
        None => Feed::synthetic(&args.symbols, &instruments, args.seed)?,
    };
    telemetry::init(&config.telemetry).map_err(Failure::failed)?;
    let running = serve::start(config).await?;
    // The first signal ends the market, not the service: what was learned until then is still to be asked for.
    let stop = Shutdown::new();
    stop.on_signals().map_err(|error| Failure::failed(format_args!("signals can't be caught: {error}")))?;
    let addr = running.addr_of(Role::Admin).ok_or_else(|| Failure::failed("the demo has no listener"))?;
    let url = format!("http://{addr}");
    if !json {
        print(&format!("Serving on {url}; playing {} for {} users.\n", feed.describe(), args.users))?;
    }
    let (mut traders, first_key) = traders(&running, &url, &args, &feed).await?;
    let start = Instant::now();
    let stopped = tokio::select! {
        played = play(&mut feed, &mut traders, args.speed) => { played?; false }
        () = stop.wait() => true,
    };
    let lesson = Lesson::of(&traders, feed.played(), start.elapsed()).await?;
    if json { print_json(&lesson) } else { print(&lesson.told()) }?;
    if !stopped && !args.exit {
        if !json {
            print(&how_to_go_on(&url, &first_key, feed.first_symbol()))?;
        }
        stop.wait().await;
    }
    // Connections of the traders would be waited for.
    drop(traders);
    running.shutdown().await?;
    Ok(Outcome::Done)
}

fn configuration(args: &DemoArgs, temporary: PathBuf) -> Result<ServeConfig, Failure> {
    let data = args.data.clone().unwrap_or(temporary);
    let overrides = Overrides { listen: args.listen, data: Some(data), roles: Vec::new() };
    let mut config = ServeConfig::load(args.config.as_deref(), &overrides)?;
    if args.data.is_none() {
        serve::set_apart(&mut config, OWN);
    }
    let default = ServeConfig::default().telemetry.filter;
    // A demo asks all of them something, whatever the configuration is made for.
    config.roles = Role::ALL.to_vec();
    (config.ingress.listen, config.confidence.listen, config.admin.listen) = (None, None, None);
    if config.telemetry.filter == default {
        // Lines of the service would run through the progress bar.
        "warn".clone_into(&mut config.telemetry.filter);
    }
    Ok(config)
}

/// The admin key of the system just started: made by it, brought along for it, or known from an earlier start.
fn admin_key(running: &Running) -> Result<String, Failure> {
    let variable = |name: &str| std::env::var(name).ok().filter(|key| !key.is_empty());
    let brought = || variable(serve::BOOTSTRAP_VARIABLE).or_else(|| variable(API_KEY_VARIABLE));
    running.admin_key.clone().or_else(brought).ok_or_else(|| {
        let what = "the system is not empty; leave --data out to begin with an empty one, or give its admin key in";
        Failure::failed(format!("{what} {API_KEY_VARIABLE}"))
    })
}

/// One trader for each user and symbol, each user with a key of its own; and the key of the first user.
async fn traders(running: &Running, url: &str, args: &DemoArgs, feed: &Feed) -> Result<(Vec<Trader>, String), Failure> {
    let admin_key = admin_key(running)?;
    let admin = Client::new(url, Some(&admin_key), RetryLimits::interactive())?;
    let scopes = ["trade".to_owned()];
    let (mut traders, mut first_key) = (Vec::new(), String::new());
    for number in 0..usize::from(args.users) {
        let user_id = format!("demo-{}", number + 1);
        let limit = Some(REQUESTS_PER_MINUTE);
        let request = KeyRequest { user_id: &user_id, scopes: &scopes, expires_in_s: None, requests_per_minute: limit };
        let created = admin.create_key(&request).await?;
        for (symbol, instrument) in feed.symbols() {
            let client = Client::new(url, Some(&created.key), RetryLimits::bulk())?;
            let bot = Bot::new(Params::of_user(number), instrument.clone());
            traders.push(Trader::new(client, user_id.clone(), symbol, bot));
        }
        if number == 0 {
            first_key = created.key;
        }
    }
    Ok((traders, first_key))
}

/// Gives every bar to every trader of its symbol, until the market ends.
async fn play(feed: &mut Feed, traders: &mut [Trader], speed: Option<u32>) -> Result<(), Failure> {
    let bar = progress::bar(feed.length(), "bars");
    let mut clock = speed.map(|speed| tokio::time::interval(Duration::from_secs(1) / speed));
    while let Some(minute) = feed.next()? {
        if let Some(clock) = &mut clock {
            clock.tick().await;
        }
        let steps = traders.iter_mut().filter_map(|trader| {
            let bar = minute.of(trader.symbol())?;
            Some(trader.on_bar(*bar))
        });
        try_join_all(steps).await?;
        bar.inc(1);
        if !bar.is_hidden() && feed.played().is_multiple_of(BARS_BETWEEN_MESSAGES) {
            bar.set_message(lesson::so_far(traders));
        }
    }
    bar.finish_and_clear();
    Ok(())
}

fn how_to_go_on(url: &str, key: &str, symbol: &str) -> String {
    let dry_run = format!("{url}/v1/confidence?dry_run=true");
    let signal = json!({"symbol": symbol, "side": "LONG", "price": 6524.25, "vwap": 6532.5, "rsi": 28, "atr": 2.5});
    format!(
        "\nStill serving on {url} until Ctrl-C; the API is on {url}/docs. Ask as demo-1:\n\n\
         curl -s {url}/v1/views/{symbol} -H 'X-API-Key: {key}'\n\n\
         curl -s '{dry_run}' -H 'X-API-Key: {key}' -H 'content-type: application/json' \\\n  -d '{signal}'\n"
    )
}
