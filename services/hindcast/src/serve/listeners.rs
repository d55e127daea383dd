//! Which role listens where.

use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::config::{Role, ServeConfig};
use crate::exit::Failure;

/// A listener and the roles that are served on it.
pub(super) struct Listener {
    pub(super) listener: TcpListener,
    pub(super) addr: SocketAddr,
    pub(super) roles: Vec<Role>,
}

/// Binds every address that some role of the process listens on, each once; the common listener
/// comes first.
pub(super) async fn bind(config: &ServeConfig) -> Result<Vec<Listener>, Failure> {
    let mut asked: Vec<(SocketAddr, Vec<Role>)> = Vec::new();
    for &role in &config.roles {
        let addr = config.listener_of(role);
        match asked.iter_mut().find(|(other, _)| *other == addr) {
            Some((_, roles)) => roles.push(role),
            None => asked.push((addr, vec![role])),
        }
    }
    asked.sort_by_key(|(addr, _)| *addr != config.listen);
    let mut bound = Vec::new();
    for (asked, roles) in asked {
        let listener = TcpListener::bind(asked).await.map_err(|error| {
            let own = roles.iter().find(|role| config.listener_of(**role) != config.listen);
            let choose = own.map_or_else(|| "--listen".to_owned(), |role| format!("{}.listen", role.name()));
            Failure::failed(format_args!("{asked} can't be listened on: {error}; choose another with {choose}"))
        })?;
        let addr = listener.local_addr().map_err(Failure::failed)?;
        bound.push(Listener { listener, addr, roles });
    }
    Ok(bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn roles_share_a_listener_unless_they_have_their_own() {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut config = ServeConfig { listen: any, ..ServeConfig::default() };
        let bound = bind(&config).await.unwrap();
        assert_eq!(bound.len(), 1);
        assert_eq!(bound[0].roles, Role::ALL);
        config.ingress.listen = Some(SocketAddr::from(([127, 0, 0, 2], 0)));
        config.admin.listen = Some(bound[0].addr);
        let error = bind(&config).await.err().unwrap().to_string();
        assert!(error.contains("admin.listen"), "{error}");
        config.admin.listen = Some(SocketAddr::from(([127, 0, 0, 3], 0)));
        let bound = bind(&config).await.unwrap();
        let roles: Vec<&[Role]> = bound.iter().map(|listener| &*listener.roles).collect();
        assert_eq!(roles, [&[Role::Projector, Role::Confidence, Role::Builder][..], &[Role::Ingress], &[Role::Admin]]);
    }
}
