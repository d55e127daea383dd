//! Reads a configuration and tells everything that is wrong with it.

use std::path::Path;

use figment::{
    Error, Figment, Profile, Source,
    error::{Actual, Kind},
    providers::{Env, Format, Serialized, Toml},
    value::{Dict, Value},
};
use serde::{Serialize, de::DeserializeOwned};

use super::{ConfigError, Faults, Validate};

const PREFIX: &str = "HINDCAST_";
const SEPARATOR: &str = "__";

/// Reads a configuration: `file`, then the environment (`HINDCAST_INGRESS__LISTEN` for `ingress.listen`), then
/// `overrides` (flags, say; what is null in them overrides nothing), the later over the earlier.
///
/// Variables that begin with the prefix but name no section (`HINDCAST_URL`, or what orchestrators put in by
/// themselves) are settings only if there is one of that name at the top.
///
/// # Errors
/// With everything that is wrong, not just the first of it: each line names the key and where it came from.
pub fn load<T>(file: Option<&Path>, overrides: &impl Serialize) -> Result<T, ConfigError>
where
    T: DeserializeOwned + Validate,
{
    let mut faults = Faults::default();
    let mut settings = Figment::new();
    if let Some(file) = file {
        // A file that was named must be there; figment takes one that is not for an empty one.
        match std::fs::metadata(file) {
            Ok(_) => settings = settings.merge(Toml::file_exact(file)),
            Err(error) => faults.push("", format_args!("{}: {error}", file.display())),
        }
    }
    settings = settings.merge(Env::prefixed(PREFIX).split(SEPARATOR));
    match Value::serialize(overrides).map(without_nulls) {
        Ok(Some(overrides)) => settings = settings.merge(Serialized::from(overrides, Profile::Default)),
        Ok(None) => {}
        Err(error) => faults.push("", error.kind),
    }
    let config = extract::<T>(&settings, &mut faults);
    if let Some(config) = &config {
        config.validate(&mut faults);
    }
    let nothing_read = || ConfigError { faults: vec!["the configuration can't be read".to_owned()] };
    faults.into_result().and_then(|()| config.ok_or_else(nothing_read))
}

/// Reads values, noting what is wrong with them.
///
/// Reading typed values stops at the first fault. So the value at fault is noted and taken out, its default stands in,
/// and everything is read again, until nothing is wrong or nothing can be taken out any more.
fn extract<T: DeserializeOwned>(settings: &Figment, faults: &mut Faults) -> Option<T> {
    let mut values = match settings.extract::<Dict>() {
        Ok(values) => Value::from(values),
        Err(errors) => {
            for error in errors {
                faults.push("", one_line(&error));
            }
            return None;
        }
    };
    let mut taken_out: Vec<Vec<String>> = Vec::new();
    loop {
        let error = match T::deserialize(&values) {
            Ok(config) => return Some(config),
            Err(error) => error,
        };
        let mut key = error.path.clone();
        if let Kind::MissingField(name) = &error.kind {
            key.push(name.to_string());
        }
        // What was taken out itself may be missed in turn, and is no fault of its own.
        if !taken_out.contains(&key) && !is_foreign(settings, &error) {
            faults.push(&key.join("."), fault(settings, &error));
        }
        let gone = take_out(&mut values, &error.path)?;
        taken_out.push(gone);
    }
}

/// Whether a key that is not ours is only a variable of the environment outside all sections.
fn is_foreign(settings: &Figment, error: &Error) -> bool {
    matches!(error.kind, Kind::UnknownField(..))
        && matches!(error.path.as_slice(), [key] if settings.find_metadata(key).is_some_and(is_environment))
        && settings.find_value(&error.path.join(".")).is_ok_and(|value| value.as_dict().is_none())
}

fn is_environment(metadata: &figment::Metadata) -> bool {
    metadata.source.is_none() && metadata.name.contains("environment")
}

fn fault(settings: &Figment, error: &Error) -> String {
    let what = match &error.kind {
        Kind::UnknownField(_, []) => "no such key; there are none here".to_owned(),
        Kind::UnknownField(_, known) => format!("no such key; there are {}", known.join(", ")),
        Kind::UnknownVariant(found, known) => format!("found {found:?}, expected one of {}", known.join(", ")),
        Kind::MissingField(_) => "is missing".to_owned(),
        Kind::InvalidType(found, expected) | Kind::InvalidValue(found, expected) => {
            format!("found {}, expected {}", found_in_words(found), in_words(expected))
        }
        _ => one_line(error),
    };
    // A single element of a list has no place of its own, the list has.
    let lengths = (1..=error.path.len()).rev();
    let path = lengths.filter_map(|length| error.path.get(..length));
    let Some((path, metadata)) = path.filter_map(|path| Some((path, settings.find_metadata(&path.join("."))?))).next()
    else {
        return what;
    };
    match &metadata.source {
        Some(Source::File(file)) => format!("{what} (in {})", file.display()),
        None if is_environment(metadata) => {
            format!("{what} (in {PREFIX}{})", path.join(SEPARATOR).to_uppercase())
        }
        _ => format!("{what} (on the command line)"),
    }
}

/// A value as whoever wrote it knows it.
fn found_in_words(found: &Actual) -> String {
    match found {
        Actual::Bool(value) => value.to_string(),
        Actual::Unsigned(value) => value.to_string(),
        Actual::Signed(value) => value.to_string(),
        Actual::Float(value) => value.to_string(),
        Actual::Str(value) => format!("{value:?}"),
        Actual::Seq => "a list".to_owned(),
        Actual::Map => "a section".to_owned(),
        other => other.to_string(),
    }
}

/// What serde calls by the names that types have in Rust.
fn in_words(expected: &str) -> String {
    let whole = |most: u128| format!("a whole number from 0 to {most}");
    match expected {
        "u8" => whole(u8::MAX.into()),
        "u16" => whole(u16::MAX.into()),
        "u32" => whole(u32::MAX.into()),
        "u64" | "usize" => whole(u64::MAX.into()),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a string" => "a text in quotes".to_owned(),
        choice if choice.starts_with("enum ") => "one of the names that the documentation lists".to_owned(),
        structure if structure.starts_with("struct ") || structure == "a map" => "a section".to_owned(),
        other => other.to_owned(),
    }
}

/// The text of an error without the picture that a TOML reader draws.
fn one_line(error: &Error) -> String {
    let text = error.kind.to_string();
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or_default();
    let place = match error.metadata.as_ref().and_then(|metadata| metadata.source.as_ref()) {
        Some(Source::File(file)) if error.path.is_empty() => format!("{}: ", file.display()),
        _ => String::new(),
    };
    match lines.next_back() {
        Some(last) => format!("{place}{first}: {last}"),
        None => format!("{place}{first}"),
    }
}

/// Takes the value at a path out, or what it is in if that is no table; tells what it took.
fn take_out(values: &mut Value, path: &[String]) -> Option<Vec<String>> {
    let (first, rest) = path.split_first()?;
    let Value::Dict(_, table) = values else { return None };
    let inner = table.get_mut(first)?;
    let taken = match take_out(inner, rest) {
        Some(taken) => taken,
        None => {
            table.remove(first);
            Vec::new()
        }
    };
    Some([vec![first.clone()], taken].concat())
}

fn without_nulls(value: Value) -> Option<Value> {
    match value {
        Value::Empty(..) => None,
        Value::Dict(tag, table) => {
            let table: Dict = table.into_iter().filter_map(|(key, value)| Some((key, without_nulls(value)?))).collect();
            Some(Value::Dict(tag, table))
        }
        other => Some(other),
    }
}

#[cfg(test)]
#[allow(clippy::result_large_err)] // the closures that figment's test environment takes
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Settings {
        data: Option<String>,
        ingress: Ingress,
        views: Views,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Ingress {
        listen: std::net::SocketAddr,
        queue: u32,
        names: Vec<String>,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Views {
        engine: Engine,
        cache_bytes: u64,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Engine {
        #[default]
        Embedded,
        Cql,
    }

    impl Default for Ingress {
        fn default() -> Self {
            Self { listen: ([127, 0, 0, 1], 8080).into(), queue: 9, names: Vec::new() }
        }
    }

    impl Validate for Settings {
        fn validate(&self, faults: &mut Faults) {
            faults.section("ingress", &self.ingress);
        }
    }

    impl Validate for Ingress {
        fn validate(&self, faults: &mut Faults) {
            faults.within("queue", self.queue, 1, 100);
        }
    }

    #[derive(Default, Serialize)]
    struct Flags {
        data: Option<String>,
        ingress: IngressFlags,
    }

    #[derive(Default, Serialize)]
    struct IngressFlags {
        listen: Option<String>,
    }

    /// Runs in a process-wide lock that restores the environment.
    fn in_jail(toml: &str, env: &[(&str, &str)], flags: &Flags) -> Result<Settings, Vec<String>> {
        let mut result = Err(Vec::new());
        figment::Jail::expect_with(|jail| {
            jail.create_file("h.toml", toml)?;
            for (name, value) in env {
                jail.set_env(name, value);
            }
            result = load(Some(Path::new("h.toml")), flags).map_err(|error| {
                let here = format!("{}/", jail.directory().display());
                error.faults.into_iter().map(|line| line.replace(&here, "")).collect()
            });
            Ok(())
        });
        result
    }

    #[test]
    fn the_later_overrides_the_earlier() {
        let toml = "[ingress]\nqueue = 5\nlisten = \"127.0.0.1:1\"\n[views]\nengine = \"cql\"";
        let env =
            [("HINDCAST_INGRESS__QUEUE", "6"), ("HINDCAST_INGRESS__LISTEN", "127.0.0.1:2"), ("HINDCAST_DATA", "/d")];
        let flags = Flags { ingress: IngressFlags { listen: Some("127.0.0.1:3".to_owned()) }, ..Flags::default() };
        assert_eq!(
            in_jail(toml, &env, &flags).unwrap(),
            Settings {
                data: Some("/d".to_owned()),
                ingress: Ingress { listen: ([127, 0, 0, 1], 3).into(), queue: 6, names: Vec::new() },
                views: Views { engine: Engine::Cql, cache_bytes: 0 },
            }
        );
        assert_eq!(in_jail("", &[], &Flags::default()).unwrap(), Settings::default());
    }

    #[test]
    fn all_faults_are_told_together_with_key_and_place() {
        let toml = "[ingress]\nqueue = 500\nlisten = \"nowhere\"\nlisen = 1\nnames = [\"a\", 2]\n\
                    [views]\nengine = \"redis\"\n[vews]\na = 1";
        let env = [("HINDCAST_VIEWS__CACHE_BYTES", "many"), ("HINDCAST_VIEWS__SIZE", "3")];
        let flags = Flags { data: Some("/d".to_owned()), ..Flags::default() };
        let mut sorted = in_jail(toml, &env, &flags).unwrap_err();
        sorted.sort();
        assert_eq!(
            sorted,
            [
                "ingress.lisen: no such key; there are listen, queue, names (in h.toml)",
                "ingress.listen: invalid socket address syntax (in h.toml)",
                "ingress.names.1: found 2, expected a text in quotes (in h.toml)",
                "ingress.queue: must be from 1 to 100; it is 500",
                "vews: no such key; there are data, ingress, views (in h.toml)",
                "views.cache_bytes: found \"many\", expected a whole number from 0 to 18446744073709551615 (in \
                 HINDCAST_VIEWS__CACHE_BYTES)",
                "views.engine: found \"redis\", expected one of embedded, cql (in h.toml)",
                "views.size: no such key; there are engine, cache_bytes (in HINDCAST_VIEWS__SIZE)",
            ]
        );
    }

    #[test]
    fn types_are_told_in_the_words_of_toml() {
        let toml = "data = [1]\n[views]\nengine = 2\ncache_bytes = -1";
        let mut sorted = in_jail(toml, &[], &Flags::default()).unwrap_err();
        sorted.sort();
        assert_eq!(
            sorted,
            [
                "data: found a list, expected a text in quotes (in h.toml)",
                "views.cache_bytes: found -1, expected a whole number from 0 to 18446744073709551615 (in h.toml)",
                "views.engine: found 2, expected one of the names that the documentation lists (in h.toml)",
            ]
        );
        let faults = in_jail("views = 3", &[], &Flags::default()).unwrap_err();
        assert_eq!(faults, ["views: found 3, expected a section (in h.toml)"]);
        let faults = in_jail("[ingress]\nqueue = 1.5", &[], &Flags::default()).unwrap_err();
        assert_eq!(faults, ["ingress.queue: found 1.5, expected a whole number from 0 to 4294967295 (in h.toml)"]);
    }

    #[test]
    fn variables_outside_sections_are_not_ours() {
        let env = [("HINDCAST_URL", "http://127.0.0.1:1"), ("HINDCAST_SERVICE_PORT", "80"), ("HINDCAST_API_KEY", "x")];
        assert_eq!(in_jail("", &env, &Flags::default()).unwrap(), Settings::default());
    }

    #[test]
    fn flags_and_files_are_named_too() {
        let flags = Flags { ingress: IngressFlags { listen: Some("nowhere".to_owned()) }, ..Flags::default() };
        let faults = in_jail("", &[], &flags).unwrap_err();
        assert_eq!(faults, ["ingress.listen: invalid socket address syntax (on the command line)"]);
        let faults = in_jail("[ingress\nqueue = 1", &[], &Flags::default()).unwrap_err();
        assert!(faults.len() == 1 && faults[0].contains("h.toml") && !faults[0].contains('\n'), "{faults:?}");
        let faults = load::<Settings>(Some(Path::new("/not/there.toml")), &Flags::default()).unwrap_err();
        assert!(faults.to_string().starts_with("/not/there.toml: No such file"), "{faults}");
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Demanding {
        needed: u32,
        inner: Inner,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Inner {
        also: u32,
    }

    impl Validate for Demanding {
        fn validate(&self, _: &mut Faults) {}
    }

    #[test]
    fn what_is_missing_is_named() {
        figment::Jail::expect_with(|jail| {
            jail.create_file("h.toml", "needed = 1\n[inner]\n")?;
            let faults = load::<Demanding>(Some(Path::new("h.toml")), &Flags::default().ingress).unwrap_err();
            assert_eq!(faults.faults, ["inner.also: is missing (in h.toml)"]);
            Ok(())
        });
    }
}
