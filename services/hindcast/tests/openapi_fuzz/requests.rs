//! Requests made from the document: such as fit it, and such as nearly do.

use hindcast_fold::generation::GenerationSet;
use http::Method;
use proptest::{collection::vec, option, prelude::*, sample::select, string::string_regex};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::schema::resolve;

/// The user of the credentials.
pub(crate) const USER: &str = "fuzzed-1";
/// Ids that requests name again and again.
pub(crate) const KNOWN_IDS: std::ops::Range<u128> = 1..30;

/// Lengths of the rings of sets of generations: the first is active at the beginning, the second is cut over to.
pub(crate) const RINGS: [u32; 3] = [256, 32, 77];

/// The set of generations with such a ring.
pub(crate) fn set_of(ring_trades: u32) -> GenerationSet {
    let mut set = GenerationSet::default();
    set.book.params.ring_trades = ring_trades;
    set
}

/// An operation of the document.
pub(crate) struct Operation {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) responses: Value,
    parameters: Vec<Value>,
    body: Option<Value>,
}

/// What is sent, but for the credentials.
#[derive(Clone)]
pub(crate) struct Sent {
    pub(crate) credential: usize,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl std::fmt::Debug for Sent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let body = String::from_utf8_lossy(&self.body);
        let shown: String = body.trim_end().chars().take(2_000).collect();
        write!(f, "{} with {:?}, {} bytes: {shown}", self.target, self.headers, self.body.len())
    }
}

impl Operation {
    pub(crate) fn all(document: &Value) -> Vec<Self> {
        let mut operations = Vec::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let Ok(method) = Method::from_bytes(method.to_uppercase().as_bytes()) else { continue };
                operations.push(Self {
                    method,
                    path: path.clone(),
                    responses: operation["responses"].clone(),
                    parameters: operation["parameters"].as_array().cloned().unwrap_or_default(),
                    body: operation.get("requestBody").map(|body| body["content"].clone()),
                });
            }
        }
        operations
    }

    /// Mostly good credentials, for what lies behind the door is what is to be tested.
    pub(crate) fn requests(&self, document: &Value, credentials: usize) -> BoxedStrategy<Sent> {
        let credential = prop_oneof![6 => Just(3_usize), 4 => 0..credentials];
        let parameters: Vec<BoxedStrategy<Option<(Place, String)>>> =
            self.parameters.iter().map(|parameter| parameter_strategy(document, parameter)).collect();
        let body = match &self.body {
            None => prop_oneof![3 => Just((None, Vec::new())), 1 => Just((None, b"{}".to_vec()))].boxed(),
            Some(contents) => body_strategy(document, contents),
        };
        let odd_headers = vec(select(odd_headers()), 0..2);
        let odd_query =
            option::weighted(0.1, select(vec!["x=1", "%ff=%ff", "recent", "a[]=b&&&", "limit=1&limit=2", "=", "%"]));
        let path = self.path.clone();
        (credential, parameters, body, option::weighted(0.3, odd_headers), odd_query)
            .prop_map(move |(credential, parameters, (media_type, body), odd_headers, odd_query)| {
                let (mut target, mut query, mut headers) = (path.clone(), Vec::new(), Vec::new());
                for (place, text) in parameters.into_iter().flatten() {
                    match place {
                        Place::Path(name) => target = target.replace(&format!("{{{name}}}"), &percent(&text)),
                        Place::Query(name) => query.push(format!("{name}={}", percent(&text))),
                        Place::Header(name) => headers.push((name, text)),
                    }
                }
                query.extend(odd_query.map(str::to_owned));
                if !query.is_empty() {
                    target = format!("{target}?{}", query.join("&"));
                }
                headers.extend(media_type.map(|media_type| ("content-type".to_owned(), media_type)));
                headers
                    .extend(odd_headers.into_iter().flatten().map(|(name, value)| (name.to_owned(), value.to_owned())));
                Sent { credential, target, headers, body }
            })
            .boxed()
    }
}

#[derive(Debug, Clone)]
enum Place {
    Path(String),
    Query(String),
    Header(String),
}

fn odd_headers() -> Vec<(&'static str, &'static str)> {
    vec![
        ("accept", "text/html"),
        ("accept", "application/vnd.apache.avro"),
        ("accept", ";;;,"),
        ("accept-encoding", "gzip, br;q=0"),
        ("content-encoding", "gzip"),
        ("content-type", "text/plain"),
        ("content-type", "application/json; charset=utf-16"),
        ("content-type", "application/json;;"),
        ("idempotency-key", "\"\""),
        ("idempotency-key", "one of many"),
        ("hindcast-min-position", "255-65535-18446744073709551615"),
        ("hindcast-min-position", "0--1"),
        ("hindcast-control", "18446744073709551615"),
        ("hindcast-control", "1e3"),
        ("x-request-id", "{\"a\": \"b\"}"),
        ("x-request-id", ""),
        ("traceparent", "00-zz-yy-01"),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        ("x-forwarded-for", "999.1.1.1, ::1"),
        ("expect", "100-continue"),
        ("range", "bytes=0-1"),
        ("if-none-match", "*"),
    ]
}

fn percent(text: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|b| if keep(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// A value for a parameter: one that fits, now and then one that does not, now and then none.
fn parameter_strategy(document: &Value, parameter: &Value) -> BoxedStrategy<Option<(Place, String)>> {
    let name = parameter["name"].as_str().unwrap().to_owned();
    let (place, needed) = match parameter["in"].as_str().unwrap() {
        "path" => (Place::Path(name.clone()), true),
        "query" => (Place::Query(name.clone()), false),
        "header" => (Place::Header(name.clone()), false),
        other => panic!("a parameter in {other}"),
    };
    let fitting = match name.as_str() {
        "symbol" => select(vec!["ES", "NQ"]).prop_map(str::to_owned).boxed(),
        "name" => select(RINGS.to_vec()).prop_map(|ring| set_of(ring).fingerprint()).boxed(),
        "user_id" => Just(USER.to_owned()).boxed(),
        "partition" => (0..8_u8).prop_map(|partition| partition.to_string()).boxed(),
        "from" | "to" if parameter["schema"].to_string().contains("date") => days().boxed(),
        "Hindcast-Min-Position" => {
            (0..9_u8, 0..9_u8).prop_map(|(partition, offset)| format!("0-{partition}-{offset}")).boxed()
        }
        _ => value_of(document, &parameter["schema"], &name)
            .prop_map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            .boxed(),
    };
    let is_header = matches!(place, Place::Header(_));
    let odd = select(vec![
        "",
        "-1",
        "0",
        "1.5",
        "99999999999999999999999",
        "null",
        "true",
        "../../etc",
        "a b",
        "x'; --",
        "%",
        "\t",
    ]);
    let unicode = select(vec!["\u{0}", "💥", "é\u{301}", "\u{202e}"]);
    let long = Just("x".repeat(3_000));
    let odd = if is_header {
        odd.prop_map(str::to_owned).boxed()
    } else {
        prop_oneof![4 => odd.prop_map(str::to_owned), 2 => unicode.prop_map(str::to_owned), 1 => long].boxed()
    };
    let value = prop_oneof![5 => fitting, 1 => odd];
    // An empty segment is another path.
    let value = value.prop_map(move |text| if needed && text.is_empty() { "-".to_owned() } else { text });
    let there = if needed { 1.0 } else { 0.4 };
    let there = if parameter["required"] == true && !needed { 0.9 } else { there };
    sometimes(there, value).prop_map(move |text| text.map(|text| (place.clone(), text))).boxed()
}

fn days() -> impl Strategy<Value = String> {
    (2024..2028_u16, 1..13_u8, 1..32_u8).prop_map(|(year, month, day)| format!("{year}-{month:02}-{day:02}"))
}

type Body = (Option<String>, Vec<u8>);

/// Bodies of all media types that are read, some of them spoilt.
fn body_strategy(document: &Value, contents: &Value) -> BoxedStrategy<Body> {
    let mut by_type = Vec::new();
    for (media_type, content) in contents.as_object().unwrap() {
        let bytes = if media_type == "application/x-ndjson" {
            let item = document.pointer("/components/schemas/Item").expect("what a line is");
            let line = prop_oneof![4 => value_of(document, item, "").prop_map(|value| value.to_string()), 1 => select(vec!["", "{", "7"]).prop_map(str::to_owned)];
            vec(line, 0..5).prop_map(|lines| lines.join("\n").into_bytes()).boxed()
        } else {
            let value = value_of(document, &content["schema"], "");
            (value, vec(json_change(), 0..3))
                .prop_map(|(mut value, changes)| {
                    changes.into_iter().for_each(|change| change.apply(&mut value));
                    value.to_string().into_bytes()
                })
                .boxed()
        };
        by_type.push((media_type.clone(), bytes));
    }
    let typed = by_type
        .into_iter()
        .map(|(media_type, bytes)| bytes.prop_map(move |bytes| (Some(media_type.clone()), bytes)).boxed());
    let typed = proptest::strategy::Union::new(typed.collect::<Vec<_>>());
    (typed, option::weighted(0.25, spoiling()))
        .prop_map(|((media_type, bytes), spoil)| match spoil {
            None => (media_type, bytes),
            Some(spoil) => spoil.apply(media_type, bytes),
        })
        .boxed()
}

/// What can be done to a body as bytes.
#[derive(Debug, Clone)]
enum Spoiling {
    CutAt(u16),
    ByteAt(u16, u8),
    Doubled,
    OfType(&'static str),
    Untyped,
    Nested(u16),
    Large,
}

fn spoiling() -> impl Strategy<Value = Spoiling> {
    let types = vec![
        "text/plain",
        "application/xml",
        "application/json; charset=latin1",
        "APPLICATION/JSON",
        "application/x-ndjson",
        "json",
        "",
    ];
    prop_oneof![
        4 => any::<u16>().prop_map(Spoiling::CutAt),
        4 => (any::<u16>(), any::<u8>()).prop_map(|(at, byte)| Spoiling::ByteAt(at, byte)),
        1 => Just(Spoiling::Doubled),
        2 => select(types).prop_map(Spoiling::OfType),
        1 => Just(Spoiling::Untyped),
        1 => (1..3_000_u16).prop_map(Spoiling::Nested),
        1 => Just(Spoiling::Large),
    ]
}

impl Spoiling {
    fn apply(self, media_type: Option<String>, mut bytes: Vec<u8>) -> Body {
        match self {
            Self::CutAt(at) => bytes.truncate(usize::from(at) % (bytes.len() + 1)),
            Self::ByteAt(at, byte) => {
                let at = usize::from(at) % bytes.len().max(1);
                if let Some(old) = bytes.get_mut(at) {
                    *old = byte;
                }
            }
            Self::Doubled => bytes.extend(bytes.clone()),
            Self::OfType(other) => return (Some(other.to_owned()), bytes),
            Self::Untyped => return (None, bytes),
            Self::Nested(depth) => {
                let depth = usize::from(depth);
                bytes = format!(r#"{{"symbol":{}{}}}"#, "[".repeat(depth), "]".repeat(depth)).into_bytes();
            }
            Self::Large => bytes.extend(vec![b' '; (1 << 20) + 1]),
        }
        (media_type, bytes)
    }
}

/// What can be done to a body as JSON, at a place that the first number picks.
#[derive(Debug, Clone)]
enum JsonChange {
    Replace(u16, Value),
    Remove(u16),
    Add(u16, &'static str, Value),
    Repeat(u16),
}

fn json_change() -> impl Strategy<Value = JsonChange> {
    let names = vec!["more", "", "user_id", "__proto__", "type", "a/b~c", "event_id", "💥"];
    prop_oneof![
        5 => (any::<u16>(), odd_value()).prop_map(|(at, value)| JsonChange::Replace(at, value)),
        3 => any::<u16>().prop_map(JsonChange::Remove),
        2 => (any::<u16>(), select(names), odd_value()).prop_map(|(at, name, value)| JsonChange::Add(at, name, value)),
        1 => any::<u16>().prop_map(JsonChange::Repeat),
    ]
}

fn odd_value() -> impl Strategy<Value = Value> {
    let odd = vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(-0.0),
        json!(-1),
        json!(1e-320),
        json!(1e15),
        json!(1.000_000_000_5),
        json!(9_223_372_036.9),
        json!(1e308),
        json!(-1e308),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(9_007_199_254_740_993_u64),
        json!(""),
        json!("NaN"),
        json!("-Infinity"),
        json!("1e3"),
        json!("0.123456789"),
        json!("0.1234567891"),
        json!("\u{0}"),
        json!("💥".repeat(20)),
        json!("x".repeat(5_000)),
        json!("\u{202e}\u{fffd}"),
        json!("2026-02-30T00:00:00Z"),
        json!("9999-12-31T23:59:59.999999999Z"),
        json!("00000000-0000-0000-0000-000000000000"),
        json!([]),
        json!([[], {}, null]),
        json!({}),
        json!({"a": {"b": {"c": [1, 2, 3]}}}),
    ];
    select(odd)
}

impl JsonChange {
    fn apply(self, value: &mut Value) {
        let (at, change) = match &self {
            Self::Replace(at, _) | Self::Remove(at) | Self::Add(at, _, _) | Self::Repeat(at) => {
                (usize::from(*at), self)
            }
        };
        let mut pointers = Vec::new();
        places(value, String::new(), &mut pointers);
        let pointer = &pointers[at % pointers.len()];
        let place = value.pointer_mut(pointer).unwrap();
        match change {
            Self::Replace(_, new) => *place = new,
            Self::Remove(_) => match place {
                Value::Object(fields) => {
                    let name = fields.keys().nth(at / 7 % fields.len().max(1)).cloned();
                    name.map(|name| fields.remove(&name));
                }
                Value::Array(items) => {
                    items.pop();
                }
                other => *other = Value::Null,
            },
            Self::Add(_, name, new) => match place {
                Value::Object(fields) => {
                    fields.insert(name.to_owned(), new);
                }
                Value::Array(items) => items.push(new),
                other => *other = json!({ name: new }),
            },
            Self::Repeat(_) => match place {
                Value::Array(items) => items.extend(items.clone()),
                other => *other = Value::Array(vec![other.clone(), other.clone()]),
            },
        }
    }
}

/// Pointers to all values in a value, itself included.
fn places(value: &Value, pointer: String, into: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                places(field, format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1")), into);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                places(item, format!("{pointer}/{index}"), into);
            }
        }
        _ => {}
    }
    into.push(pointer);
}

/// Values that fit a schema; names of fields that must refer to something do.
fn value_of(document: &Value, schema: &Value, name: &str) -> BoxedStrategy<Value> {
    let schema = resolve(document, schema);
    match name {
        "symbol" => return select(vec![json!("ES"), json!("NQ")]).boxed(),
        "generations" => {
            return select(RINGS.to_vec()).prop_map(|ring| json!({"book": {"params": {"ring_trades": ring}}})).boxed();
        }
        "user_id" => return prop_oneof![9 => Just(json!(USER)), 1 => Just(json!("fuzzed-2"))].boxed(),
        _ => {}
    }
    for keyword in ["oneOf", "anyOf"] {
        if let Some(choices) = schema[keyword].as_array() {
            let choices = choices.iter().map(|choice| value_of(document, choice, name));
            return proptest::strategy::Union::new(choices.collect::<Vec<_>>()).boxed();
        }
    }
    if let Some(values) = schema["enum"].as_array() {
        return select(values.clone()).boxed();
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::Array(names) => names.iter().map(|name| name.as_str().unwrap()).collect(),
        Value::String(name) => vec![name],
        _ => return odd_value().boxed(),
    };
    let of_types = types.into_iter().map(|kind| match kind {
        "null" => Just(Value::Null).boxed(),
        "boolean" => any::<bool>().prop_map(Value::Bool).boxed(),
        "string" => text_of(schema),
        "number" | "integer" => number_of(schema, kind == "integer"),
        "array" => vec(value_of(document, &schema["items"], ""), 0..6).prop_map(Value::Array).boxed(),
        "object" => object_of(document, schema),
        unknown => panic!("there is no type {unknown}"),
    });
    proptest::strategy::Union::new(of_types.collect::<Vec<_>>()).boxed()
}

fn text_of(schema: &Value) -> BoxedStrategy<Value> {
    if let Some(pattern) = schema["pattern"].as_str() {
        let pattern = pattern.trim_start_matches('^').trim_end_matches('$');
        return string_regex(pattern).unwrap().prop_map(Value::String).boxed();
    }
    match schema["format"].as_str() {
        // Few, so that some come again.
        Some("uuid") => {
            let known = KNOWN_IDS.prop_map(Uuid::from_u128);
            prop_oneof![1 => known, 2 => any::<u128>().prop_map(Uuid::from_u128)].prop_map(|id| json!(id)).boxed()
        }
        Some("date-time") => (0..4_000_000_000_000_000_i64)
            .prop_map(|us| json!(jiff::Timestamp::from_microsecond(us).unwrap().to_string()))
            .boxed(),
        Some("date") => days().prop_map(Value::String).boxed(),
        _ => {
            let most = schema["maxLength"].as_u64().unwrap_or(40).min(600);
            let least = schema["minLength"].as_u64().unwrap_or(0);
            let length = prop_oneof![Just(least), Just(most), least..=most];
            let letters = select(vec!["a", "Z", "7", "-", " ", "é", "💥", "\"", "\\", "/"]);
            (length, letters)
                .prop_map(|(length, letter)| json!(letter.repeat(usize::try_from(length).unwrap())))
                .boxed()
        }
    }
}

fn number_of(schema: &Value, whole: bool) -> BoxedStrategy<Value> {
    let least =
        schema["minimum"].as_f64().or(schema["exclusiveMinimum"].as_f64().map(|n| n.max(0.0) + 1e-9)).unwrap_or(-1e6);
    let most = schema["maximum"].as_f64().unwrap_or(1e6);
    if whole {
        let (least, most) = (schema["minimum"].as_i64().unwrap_or(0), schema["maximum"].as_i64().unwrap_or(1_000_000));
        return prop_oneof![Just(least), Just(most), least..=most].prop_map(|n| json!(n)).boxed();
    }
    let usual = (least..=most.min(least.max(0.0) + 10_000.0))
        .prop_map(|n| (n * 100.0).round() / 100.0)
        .prop_map(move |n| n.clamp(least, most));
    prop_oneof![4 => usual, 1 => Just(least), 1 => Just(most), 1 => least..=most].prop_map(|n| json!(n)).boxed()
}

fn object_of(document: &Value, schema: &Value) -> BoxedStrategy<Value> {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut fields = Vec::new();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let there = if required.contains(&name.as_str()) { 1.0 } else { 0.3 };
        let name = name.clone();
        let value = value_of(document, field, &name);
        fields.push(sometimes(there, value).prop_map(move |value| value.map(|value| (name.clone(), value))).boxed());
    }
    let others = match &schema["additionalProperties"] {
        Value::Object(_) => {
            let names = select(vec!["hour", "spread", "a.b-c_D", "x"]).prop_map(str::to_owned);
            vec((names, value_of(document, &schema["additionalProperties"], "")), 0..4).boxed()
        }
        _ => Just(Vec::new()).boxed(),
    };
    (fields, others)
        .prop_map(|(fields, others)| Value::Object(fields.into_iter().flatten().chain(others).collect::<Map<_, _>>()))
        .boxed()
}

/// A value, or with the rest of the probability none.
fn sometimes<T: std::fmt::Debug + Clone + 'static>(
    probability: f64,
    value: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Option<T>> {
    if probability < 1.0 { option::weighted(probability, value).boxed() } else { value.prop_map(Some).boxed() }
}
