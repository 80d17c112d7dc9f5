//! The guard against server-side request forgery (SSRF): nobody makes us call into the network we stand in by giving us a
//! URL.
//!
//! A URL can hold an address, which no resolver ever sees, or a name, whose address may change from one look-up to the
//! next. So the URL is checked before a request, and the client connects only to addresses that came through
//! [`SsrfGuard::resolve`], the one look-up there is.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use domain::this_machine::is_here;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::address_rules::{embedded, not_public};
use super::allowed_host::AllowedHost;
use crate::dns::{LookupError, look_up};

/// A webhook's host that is not called, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockedAddress {
    /// The host or address.
    what: String,
    /// The rule: what it is.
    rule: &'static str,
}

/// The blocked address in `url`, as far as can be told without a look-up: one that is not public, or this machine's name, and
/// that `allowed` does not hold.
#[must_use]
pub fn blocked_address(url: &Url, allowed: &[AllowedHost]) -> Option<BlockedAddress> {
    match url.host()? {
        Host::Ipv4(address) => blocked_ip(address.into(), allowed),
        Host::Ipv6(address) => blocked_ip(address.into(), allowed),
        Host::Domain(name) => {
            let allowed = allowed.iter().any(|host| host.is_named(name));
            (is_here(&Host::Domain(name)) && !allowed)
                .then(|| BlockedAddress { what: name.to_owned(), rule: "this machine" })
        }
    }
}

fn blocked_ip(address: IpAddr, allowed: &[AllowedHost]) -> Option<BlockedAddress> {
    let rule = not_public(address)?;
    let real = match address {
        IpAddr::V4(_) => None,
        IpAddr::V6(address) => embedded(address).map(IpAddr::V4),
    };
    let held = |address| allowed.iter().any(|host| host.holds(address));
    if held(address) || real.is_some_and(held) {
        return None;
    }
    Some(BlockedAddress { what: address.to_string(), rule })
}

/// A resolver that answers only with addresses that may be called.
pub(super) struct SsrfGuard {
    allowed: Arc<[AllowedHost]>,
    limit: Duration,
}

/// A resolver for names that the operator chose; within this limit.
pub(super) struct UnrestrictedResolver(pub(super) Duration);

impl SsrfGuard {
    /// `limit` is that of one look-up.
    pub(super) fn new(allowed: &[AllowedHost], limit: Duration) -> Self {
        Self { allowed: allowed.into(), limit }
    }
}

impl Resolve for SsrfGuard {
    fn resolve(&self, name: Name) -> Resolving {
        let (allowed, limit) = (Arc::clone(&self.allowed), self.limit);
        Box::pin(async move {
            // The port is the URL's; the client puts it in.
            let found = look_up(name.as_str(), 0, limit).await?;
            allowed_addresses(name.as_str(), found.into_iter(), &allowed)
        })
    }
}

impl Resolve for UnrestrictedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let Self(limit) = *self;
        Box::pin(async move {
            let found = look_up(name.as_str(), 0, limit).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// The addresses of `name` that may be called.
fn allowed_addresses(
    name: &str,
    found: impl Iterator<Item = SocketAddr>,
    allowed: &[AllowedHost],
) -> Result<Addrs, Box<dyn std::error::Error + Send + Sync>> {
    if allowed.iter().any(|host| host.is_named(name)) {
        return Ok(Box::new(found.collect::<Vec<_>>().into_iter()));
    }
    let mut blocked = None;
    let mut public = Vec::new();
    for address in found {
        match blocked_ip(address.ip(), allowed) {
            None => public.push(address),
            Some(why) => blocked = Some(why),
        }
    }
    match blocked {
        Some(BlockedAddress { what, rule }) if public.is_empty() => {
            Err(BlockedAddress { what: format!("{name} ({what})"), rule }.into())
        }
        None if public.is_empty() => {
            Err(LookupError::NoSuchName("the name has no address".to_owned()).into())
        }
        _ => Ok(Box::new(public.into_iter())),
    }
}

impl fmt::Display for BlockedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} is {}: webhooks and chats reach it only if webhook.allowed_hosts (ORDERBELL_WEBHOOK_ALLOWED_HOSTS) names it",
            self.what, self.rule
        )
    }
}

impl std::error::Error for BlockedAddress {}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(allowed: &[&str]) -> SsrfGuard {
        let allowed: Vec<AllowedHost> = allowed.iter().map(|host| host.parse().unwrap()).collect();
        SsrfGuard::new(&allowed, Duration::from_secs(5))
    }

    fn allowed_ips(found: &[&str], allowed: &[&str]) -> Result<Vec<IpAddr>, String> {
        let found = found.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 0));
        let allowed_addresses = allowed_addresses("hook.example", found, &guard(allowed).allowed);
        allowed_addresses
            .map(|addresses| addresses.map(|address| address.ip()).collect())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_name_is_called_only_at_its_public_addresses() {
        assert_eq!(allowed_ips(&["10.0.0.1", "1.1.1.1", "::1"], &[]), Ok(vec!["1.1.1.1".parse().unwrap()]));
    }

    #[test]
    fn a_name_without_a_public_address_is_refused_and_the_rule_is_told() {
        let blocked = allowed_ips(&["169.254.169.254"], &[]).unwrap_err();
        assert!(
            blocked.contains("hook.example (169.254.169.254) is a link-local or metadata address"),
            "{blocked}"
        );
        assert_eq!(allowed_ips(&[], &[]), Err("the name has no address".to_owned()));
    }

    #[test]
    fn an_allowed_name_is_called_wherever_it_is_and_an_allowed_network_whatever_its_name() {
        let inside = Ok(vec!["10.0.0.1".parse().unwrap()]);
        assert_eq!(allowed_ips(&["10.0.0.1"], &["hook.example"]), inside);
        assert_eq!(allowed_ips(&["10.0.0.1", "10.0.1.1"], &["10.0.0.0/24"]), inside);
        assert!(allowed_ips(&["10.0.0.1"], &["other.example"]).is_err());
    }

    #[tokio::test]
    async fn the_look_up_itself_refuses_what_is_inside() {
        let name = || "localhost".parse().unwrap();
        assert!(guard(&[]).resolve(name()).await.is_err());
        assert!(guard(&["localhost"]).resolve(name()).await.is_ok_and(|mut found| found.next().is_some()));
    }
}
