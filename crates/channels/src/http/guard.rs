//! The forgery guard: nobody makes us call into the network we stand in by giving us a URL.
//!
//! A URL can hold an address, which no resolver ever sees, or a name, whose address may change from one look-up to the
//! next. So the URL is checked before a request, and the client connects only to addresses that came through
//! [`Guard::resolve`], the one look-up there is.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use domain::this_machine::is_here;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::address_rules::{embedded, not_public};
use super::allowed_host::AllowedHost;
use crate::names::{Unfound, look_up};

/// Why a webhook's host is not called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The host or address.
    what: String,
    /// The rule: what it is.
    rule: &'static str,
}

/// Why `url` can be refused without a look-up, if it can: it holds an address that is not public, or names this
/// machine, and `allowed` does not hold it.
#[must_use]
pub fn refused(url: &Url, allowed: &[AllowedHost]) -> Option<Refusal> {
    match url.host()? {
        Host::Ipv4(address) => refused_address(address.into(), allowed),
        Host::Ipv6(address) => refused_address(address.into(), allowed),
        Host::Domain(name) => {
            let allowed = allowed.iter().any(|host| host.is_named(name));
            (is_here(&Host::Domain(name)) && !allowed)
                .then(|| Refusal { what: name.to_owned(), rule: "this machine" })
        }
    }
}

fn refused_address(address: IpAddr, allowed: &[AllowedHost]) -> Option<Refusal> {
    let rule = not_public(address)?;
    let real = match address {
        IpAddr::V4(_) => None,
        IpAddr::V6(address) => embedded(address).map(IpAddr::V4),
    };
    let held = |address| allowed.iter().any(|host| host.holds(address));
    if held(address) || real.is_some_and(held) {
        return None;
    }
    Some(Refusal { what: address.to_string(), rule })
}

/// Looks names up and lets only addresses through that may be called.
pub(super) struct Guard {
    allowed: Arc<[AllowedHost]>,
    limit: Duration,
}

/// Looks up names that the operator chose, within this limit.
pub(super) struct Anywhere(pub(super) Duration);

impl Guard {
    /// `limit` is that of one look-up.
    pub(super) fn new(allowed: &[AllowedHost], limit: Duration) -> Self {
        Self { allowed: allowed.into(), limit }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (allowed, limit) = (Arc::clone(&self.allowed), self.limit);
        Box::pin(async move {
            // The port is the URL's; the client puts it in.
            let found = look_up(name.as_str(), 0, limit).await?;
            passed(name.as_str(), found.into_iter(), &allowed)
        })
    }
}

impl Resolve for Anywhere {
    fn resolve(&self, name: Name) -> Resolving {
        let Self(limit) = *self;
        Box::pin(async move {
            let found = look_up(name.as_str(), 0, limit).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// The addresses of `name` that may be called.
fn passed(
    name: &str,
    found: impl Iterator<Item = SocketAddr>,
    allowed: &[AllowedHost],
) -> Result<Addrs, Box<dyn std::error::Error + Send + Sync>> {
    if allowed.iter().any(|host| host.is_named(name)) {
        return Ok(Box::new(found.collect::<Vec<_>>().into_iter()));
    }
    let mut refusal = None;
    let mut public = Vec::new();
    for address in found {
        match refused_address(address.ip(), allowed) {
            None => public.push(address),
            Some(why) => refusal = Some(why),
        }
    }
    match refusal {
        Some(Refusal { what, rule }) if public.is_empty() => {
            Err(Refusal { what: format!("{name} ({what})"), rule }.into())
        }
        None if public.is_empty() => Err(Unfound::NoSuchName("the name has no address".to_owned()).into()),
        _ => Ok(Box::new(public.into_iter())),
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} is {}: webhooks and chats reach it only if webhook.allowed_hosts (ORDERBELL_WEBHOOK_ALLOWED_HOSTS) names it",
            self.what, self.rule
        )
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(allowed: &[&str]) -> Guard {
        let allowed: Vec<AllowedHost> = allowed.iter().map(|host| host.parse().unwrap()).collect();
        Guard::new(&allowed, Duration::from_secs(5))
    }

    fn let_through(found: &[&str], allowed: &[&str]) -> Result<Vec<IpAddr>, String> {
        let found = found.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 0));
        let passed = passed("hook.example", found, &guard(allowed).allowed);
        passed
            .map(|addresses| addresses.map(|address| address.ip()).collect())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_name_is_called_only_at_its_public_addresses() {
        assert_eq!(let_through(&["10.0.0.1", "1.1.1.1", "::1"], &[]), Ok(vec!["1.1.1.1".parse().unwrap()]));
    }

    #[test]
    fn a_name_without_a_public_address_is_refused_and_the_rule_is_told() {
        let refusal = let_through(&["169.254.169.254"], &[]).unwrap_err();
        assert!(
            refusal.contains("hook.example (169.254.169.254) is a link-local or metadata address"),
            "{refusal}"
        );
        assert_eq!(let_through(&[], &[]), Err("the name has no address".to_owned()));
    }

    #[test]
    fn an_allowed_name_is_called_wherever_it_is_and_an_allowed_network_whatever_its_name() {
        let inside = Ok(vec!["10.0.0.1".parse().unwrap()]);
        assert_eq!(let_through(&["10.0.0.1"], &["hook.example"]), inside);
        assert_eq!(let_through(&["10.0.0.1", "10.0.1.1"], &["10.0.0.0/24"]), inside);
        assert!(let_through(&["10.0.0.1"], &["other.example"]).is_err());
    }

    #[tokio::test]
    async fn the_look_up_itself_refuses_what_is_inside() {
        let name = || "localhost".parse().unwrap();
        assert!(guard(&[]).resolve(name()).await.is_err());
        assert!(guard(&["localhost"]).resolve(name()).await.is_ok_and(|mut found| found.next().is_some()));
    }
}
