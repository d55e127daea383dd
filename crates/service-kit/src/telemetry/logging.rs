//! Log lines.

use std::io::{self, IsTerminal};

use tracing::Subscriber;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter, util::SubscriberInitExt};

use super::{LogFormat, TelemetryConfig};

/// Why logging can't start.
#[derive(Debug, thiserror::Error)]
#[error("logging can't start: {0}")]
pub struct LoggingError(String);

/// Starts writing log lines to standard error, which is where they don't get into the output of commands. Once a
/// process.
///
/// # Errors
/// When the filter is not one, or it was started before.
pub fn init(config: &TelemetryConfig) -> Result<(), LoggingError> {
    let lines = lines(config, io::stderr, io::stderr().is_terminal())?;
    lines.try_init().map_err(|error| LoggingError(error.to_string()))
}

type Lines = Box<dyn Subscriber + Send + Sync>;

fn lines<W>(config: &TelemetryConfig, writer: W, colours: bool) -> Result<Lines, LoggingError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(&config.filter).map_err(|error| LoggingError(error.to_string()))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_ansi(colours);
    Ok(match config.format {
        LogFormat::Text => Box::new(lines.finish()),
        LogFormat::Json => {
            Box::new(lines.json().flatten_event(true).with_current_span(true).with_span_list(false).finish())
        }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use axum::{Router, body::Body, routing::post};
    use hindcast_domain::UserId;
    use http::{Request, StatusCode};
    use prometheus::Registry;
    use serde_json::Value;
    use tower::ServiceExt;
    use tracing::instrument::WithSubscriber;

    use super::*;
    use crate::{
        problem::Problem,
        telemetry::{Edge, RequestContext},
    };

    const SECRET: &str = "hc_route_secretsecretsecret";

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    async fn handle(context: RequestContext) -> Problem {
        context.tell_user(&UserId::new("trader-1").unwrap());
        tracing::info!("handled");
        Problem::not_stored("try again").with_internal("disk full")
    }

    /// What is logged about one request that fails.
    async fn logged(config: &TelemetryConfig) -> String {
        let written = Written::default();
        let writer = written.clone();
        let lines = lines(config, move || writer.clone(), false).unwrap();
        let edge = Edge::new(&Registry::new(), config.access_log).unwrap();
        let router = edge.around(Router::new().route("/signals", post(handle)));
        let request = Request::post(format!("/signals?key={SECRET}"))
            .header("x-request-id", "bot-1")
            .header("x-api-key", SECRET)
            .header("authorization", format!("Bearer {SECRET}"))
            .body(Body::from(SECRET))
            .unwrap();
        let answer = router.oneshot(request).with_subscriber(lines).await.unwrap();
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        assert!(!text.contains("secretsecret"), "{text}");
        text
    }

    #[tokio::test]
    async fn json_lines_name_request_and_user() {
        let config = TelemetryConfig { format: LogFormat::Json, access_log: true, ..TelemetryConfig::default() };
        let text = logged(&config).await;
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let messages: Vec<_> = lines.iter().map(|line| line["message"].as_str().unwrap()).collect();
        assert_eq!(messages, ["handled", "disk full", "answered"], "{text}");
        for line in &lines {
            let span = &line["span"];
            assert_eq!((&span["request_id"], &span["user"]), (&"bot-1".into(), &"trader-1".into()), "{line}");
        }
        let access = &lines[2];
        assert_eq!(
            (&access["path"], &access["status"], &access["method"]),
            (&"/signals".into(), &503.into(), &"POST".into())
        );
        assert_eq!((&lines[1]["level"], &lines[1]["kind"]), (&"WARN".into(), &"unavailable".into()));
    }

    #[tokio::test]
    async fn text_lines_name_them_too() {
        let text = logged(&TelemetryConfig::default()).await;
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(lines.iter().all(|line| line.contains("bot-1") && line.contains("trader-1")), "{text}");
    }

    #[tokio::test]
    async fn filters_filter_and_wrong_ones_are_refused() {
        let config = TelemetryConfig { filter: "error".to_owned(), ..TelemetryConfig::default() };
        assert_eq!(logged(&config).await, "");
        let config = TelemetryConfig { filter: "hindcast=loud".to_owned(), ..TelemetryConfig::default() };
        assert!(lines(&config, io::sink, false).is_err());
    }
}
