//! stub
#![allow(missing_docs)]
use std::sync::Arc;
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IngressConfig { pub append_timeout_ms: u64 }
impl Default for IngressConfig { fn default() -> Self { Self { append_timeout_ms: 5000 } } }
pub struct IngressPorts {
    pub log: Arc<dyn hindcast_journal::Log>,
    pub views: Arc<dyn hindcast_views::ViewStore>,
    pub board: Arc<hindcast_reader::ProgressBoard>,
    pub control: Arc<hindcast_control::Control>,
    pub codec: Arc<hindcast_schemas::Codec>,
    pub gate: Arc<hindcast_service_kit::auth::Gate>,
    pub instruments: Arc<hindcast_domain::Instruments>,
}
pub struct IngressState;
impl IngressState { pub fn new(_: IngressPorts, _: IngressConfig, _: &prometheus::Registry) -> Result<Self, prometheus::Error> { Ok(Self) } }
pub fn router(_: Arc<IngressState>) -> utoipa_axum::router::OpenApiRouter { utoipa_axum::router::OpenApiRouter::new() }
