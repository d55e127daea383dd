//! What every service shares: configuration, telemetry, credentials, limits, problem+json and shutdown.
