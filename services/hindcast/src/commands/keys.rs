//! `hindcast keys`: API keys, through the admin API.

use clap::{Args, Subcommand};

use crate::{
    cli::ServerArgs,
    client::{
        RetryLimits,
        bodies::{CreatedKey, KeyRequest, ListedKey},
    },
    exit::{Failure, Outcome},
    output::{print, print_json},
    report::table::{table, thousands},
};

const EXAMPLES: &str = "\
Examples:
  export HINDCAST_API_KEY=...                     a key with the scope admin
  hindcast keys create --user desk-1 --expires 90d
  hindcast keys list
  hindcast keys revoke KEY_ID";

/// Arguments of `hindcast keys`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct KeysArgs {
    /// The running system.
    #[command(flatten)]
    pub server: ServerArgs,
    /// What to do with keys.
    #[command(subcommand)]
    pub action: KeysAction,
}

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub enum KeysAction {
    /// Create a key and show its secret once
    Create {
        /// Whose requests it authenticates
        #[arg(long, value_name = "ID")]
        user: String,
        /// What it may do: trade, replay, admin
        #[arg(long, value_name = "SCOPE,..", value_delimiter = ',', default_value = "trade")]
        scopes: Vec<String>,
        /// When it stops working, from now on: 90d, 12h, 30m, 60s; never when absent
        #[arg(long, value_name = "DURATION", value_parser = duration_s)]
        expires: Option<u64>,
        /// Its own rate limit
        #[arg(long, value_name = "N")]
        requests_per_minute: Option<u32>,
    },
    /// List all keys, without their secrets
    List,
    /// Make a key stop working
    Revoke {
        /// The key's id
        #[arg(value_name = "KEY_ID", value_parser = key_id)]
        id: String,
    },
}

/// Creates, lists or revokes.
///
/// # Errors
/// When the system can't be reached or refuses.
pub async fn run(args: KeysArgs, json: bool) -> Result<Outcome, Failure> {
    let client = args.server.client(RetryLimits::interactive())?;
    match args.action {
        KeysAction::Create { user, scopes, expires, requests_per_minute } => {
            let request = KeyRequest { user_id: &user, scopes: &scopes, expires_in_s: expires, requests_per_minute };
            let key = client.create_key(&request).await?;
            if json { print_json(&key) } else { print(&created(&key)) }
        }
        KeysAction::List => {
            let listed = client.list_keys().await?;
            if json { print_json(&listed) } else { print(&list(&listed.keys)) }
        }
        KeysAction::Revoke { id } => {
            let key = client.revoke_key(&id).await?;
            if json { print_json(&key) } else { print(&revoked(&key)) }
        }
    }?;
    Ok(Outcome::Done)
}

fn created(key: &CreatedKey) -> String {
    let CreatedKey { id, user_id, key, scopes, expires_at, .. } = key;
    let expires = expires_at.as_deref().unwrap_or("never");
    format!(
        "Key {id} of {user_id}, scopes {}, expires {expires}\n\n  {key}\n\nThis is the only time it is shown. Bots send it as X-API-Key.\n",
        scopes.join(", ")
    )
}

fn revoked(key: &ListedKey) -> String {
    let at = key.revoked_at.as_deref().unwrap_or("now");
    format!("Key {} of {} is revoked since {at}; its tokens end with it.\n", key.id, key.user_id)
}

fn list(keys: &[ListedKey]) -> String {
    let mut table = table(["id", "user", "scopes", "created", "expires", "state", "requests a minute"], 6);
    for key in keys {
        let limit = key.requests_per_minute.map_or_else(|| "default".to_owned(), |n| thousands(u64::from(n)));
        let scopes = key.scopes.join(",");
        let expires = key.expires_at.as_deref().unwrap_or("never");
        let state = if key.revoked_at.is_some() { "revoked" } else { "" };
        table.add_row([
            &key.id,
            &key.user_id,
            &scopes,
            &to_the_second(&key.created_at),
            &to_the_second(expires),
            state,
            &limit,
        ]);
    }
    format!("{table}\n")
}

/// A time without its fraction of a second, for people.
fn to_the_second(time: &str) -> String {
    match time.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => time.to_owned(),
    }
}

/// Reads a duration such as `90d` in seconds.
fn duration_s(text: &str) -> Result<u64, String> {
    let malformed = || "give a number and a unit, such as 90d, 12h, 30m or 60s".to_owned();
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(malformed)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(malformed()),
    };
    let number: u64 = number.parse().map_err(|_| malformed())?;
    number.checked_mul(seconds).filter(|&seconds| seconds > 0).ok_or_else(|| "that is no time span".to_owned())
}

/// Reads a key's id: it becomes a part of a URL.
fn key_id(text: &str) -> Result<String, String> {
    let valid = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    let hint = "a key's id has letters, digits, '-' and '_'; `hindcast keys list` shows them";
    if valid { Ok(text.to_owned()) } else { Err(hint.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration_s("90d"), Ok(7_776_000));
        assert_eq!(duration_s("60s"), Ok(60));
        for bad in ["", "d", "90", "-1d", "0d", "1.5h", "1y", "99999999999999999d", "9ü"] {
            assert!(duration_s(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ids_stay_within_their_path() {
        assert!(key_id("k_1-a").is_ok());
        for bad in ["", "a/b", "..", "a?b", "ü"] {
            assert!(key_id(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_list_is_a_table() {
        let key = ListedKey {
            id: "abc".to_owned(),
            user_id: "desk-1".to_owned(),
            scopes: vec!["trade".to_owned(), "replay".to_owned()],
            created_at: "2026-01-05T10:00:00.123456Z".to_owned(),
            expires_at: None,
            revoked_at: Some("2026-01-06T10:00:00Z".to_owned()),
            requests_per_minute: Some(6_000),
        };
        let text = list(&[key]);
        let row = text.lines().find(|line| line.contains("abc")).unwrap();
        for part in ["desk-1", "trade,replay", "2026-01-05T10:00:00Z", "never", "revoked", "6,000"] {
            assert!(row.contains(part), "{text}");
        }
    }
}
