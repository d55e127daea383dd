//! Connecting to the cluster.

use std::{path::Path, time::Duration};

use scylla::{
    client::{
        execution_profile::ExecutionProfile,
        session::{Session, TlsContext},
        session_builder::SessionBuilder,
    },
    policies::load_balancing::DefaultPolicy,
    statement::Consistency,
};

use super::{OpenError, config::CqlViewsConfig, failure::one_line, retry::OnceElsewhere};

/// Time for the nodes to agree on a changed schema.
pub(super) const SCHEMA_TIMEOUT: Duration = Duration::from_secs(15);
/// Shortest time between two looks at whether a connection is alive.
const SHORTEST_KEEPALIVE: Duration = Duration::from_millis(250);

pub(super) async fn connect(config: &CqlViewsConfig) -> Result<Session, OpenError> {
    let connect_timeout = Duration::from_millis(config.connect_timeout_ms);
    let request_timeout = Duration::from_millis(config.request_timeout_ms);
    let mut balancing = DefaultPolicy::builder().token_aware(true);
    if let Some(datacenter) = &config.datacenter {
        balancing = balancing.prefer_datacenter(datacenter.clone());
    }
    let profile = ExecutionProfile::builder()
        .consistency(Consistency::LocalQuorum)
        .retry_policy(std::sync::Arc::new(OnceElsewhere))
        .load_balancing_policy(balancing.build())
        // Requests end by an answer or with their connection, see `Requests`; callers don't wait that long.
        .request_timeout(None)
        .build();
    let mut builder = SessionBuilder::new()
        .known_nodes(&config.nodes)
        .default_execution_profile_handle(profile.into_handle())
        .connection_timeout(connect_timeout)
        .hostname_resolution_timeout(Some(connect_timeout))
        .metadata_request_clientside_timeout(connect_timeout)
        .metadata_request_serverside_timeout(connect_timeout)
        .keepalive_interval(request_timeout.max(SHORTEST_KEEPALIVE))
        .keepalive_timeout(request_timeout.max(SHORTEST_KEEPALIVE))
        .schema_agreement_timeout(SCHEMA_TIMEOUT)
        // Of the schema the driver needs to know where rows of our keyspace are.
        .keyspaces_to_fetch([&config.keyspace])
        .tls_context(tls(config.ca_file.as_deref())?);
    if let Some((username, password)) = credentials(config)? {
        builder = builder.user(username, password);
    }
    // Each of several names, addresses and requests has a bound of its own; together they have this one.
    let open_timeout = connect_timeout * 2 + Duration::from_secs(1);
    match tokio::time::timeout(open_timeout, builder.build()).await {
        Ok(Ok(session)) => Ok(session),
        Ok(Err(error)) => Err(unreachable(config, &one_line(&error))),
        Err(_) => Err(unreachable(config, &format!("no answer after {} ms", open_timeout.as_millis()))),
    }
}

fn unreachable(config: &CqlViewsConfig, why: &str) -> OpenError {
    OpenError::Unreachable { nodes: config.nodes.join(", "), why: why.to_owned() }
}

fn credentials(config: &CqlViewsConfig) -> Result<Option<(String, String)>, OpenError> {
    let (Some(username), Some(path)) = (&config.username, &config.password_file) else { return Ok(None) };
    let password = std::fs::read_to_string(path)
        .map_err(|error| OpenError::Config(format!("password_file {} can't be read: {error}", path.display())))?;
    Ok(Some((username.clone(), password.trim().to_owned())))
}

#[cfg(feature = "cql-tls")]
fn tls(ca_file: Option<&Path>) -> Result<Option<TlsContext>, OpenError> {
    use std::sync::Arc;

    use rustls::pki_types::{CertificateDer, pem::PemObject};

    let Some(path) = ca_file else { return Ok(None) };
    let unusable = |why: String| OpenError::Config(format!("ca_file {}: {why}", path.display()));
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unusable(error.to_string()))? {
        let added = certificate.map_err(|error| error.to_string()).map(|certificate| roots.add(certificate));
        added.map_err(&unusable)?.map_err(|error| unusable(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(unusable("holds no certificate".into()));
    }
    // Named, as another package of the process may bring a second one; this one comes with the driver.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Some(TlsContext::Rustls023(Arc::new(config))))
}

#[cfg(not(feature = "cql-tls"))]
fn tls(ca_file: Option<&Path>) -> Result<Option<TlsContext>, OpenError> {
    match ca_file {
        None => Ok(None),
        Some(_) => {
            Err(OpenError::Config("ca_file is given, but this binary was built without the feature `cql-tls`".into()))
        }
    }
}
