//! Calling receivers whose URLs come from outside, each a server of its own.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use domain::attempt::{Outcome, OutcomeKind, Scope};
use reqwest::{Client, Request, StatusCode};
use rustix::io::Errno;
use url::{Host, Url};

use super::allowed_host::AllowedHost;
use super::reachability::{Reachability, Unreachable, has_route_to};
use super::{ClientBuildError, HttpResponse, guarded_client, no_response, read};
use crate::dns::LookupError;
use crate::local_resources::{describe, errno, error_chain, exhausted_resource_now};

/// Calls receivers, and knows whether it reaches any.
pub(crate) struct Caller {
    pub(super) client: Client,
    reachability: Reachability,
}

impl Caller {
    /// Connects only to addresses on the public internet, and to `allowed`; trusts the certificates in `ca` (PEM) too.
    /// `timeout` is the limit for connecting, and again for the whole answer.
    pub(crate) fn new(
        allowed: &[AllowedHost],
        ca: Option<&[u8]>,
        timeout: Duration,
    ) -> Result<Self, ClientBuildError> {
        Ok(Self {
            client: guarded_client(allowed, ca, timeout)?,
            reachability: Reachability::new(super::look_up_limit(timeout)),
        })
    }

    /// For building requests.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Makes one request. The body is waited for where the response's status `needs_body`. That there was no
    /// connection is the receiver's failure, unless it is ours.
    pub(crate) async fn execute(
        &self,
        request: Request,
        needs_body: impl Fn(StatusCode) -> bool,
    ) -> Result<HttpResponse, Outcome> {
        let host = host_of(request.url());
        match self.client.execute(request).await {
            Ok(response) => {
                self.reachability.record_reached(&host);
                Ok(read(response, needs_body).await)
            }
            Err(error) if error.is_connect() => Err(self.unconnected(&error, &host).await),
            Err(error) => {
                self.reachability.record_reached(&host);
                Err(no_response(&error, Scope::Endpoint))
            }
        }
    }

    async fn unconnected(&self, error: &reqwest::Error, host: &str) -> Outcome {
        let why = describe(error);
        let Some(unreachable) = why_unreachable(error, host) else {
            return no_response(error, Scope::Endpoint);
        };
        if !self.reachability.is_local_outage(host, unreachable).await {
            return Outcome::new(OutcomeKind::Transient(Scope::Endpoint), format!("no connection: {why}"));
        }
        let what = match unreachable {
            Unreachable::Dns => "this machine's resolver does not answer",
            Unreachable::Route => "this machine's network leads nowhere",
        };
        Outcome::new(OutcomeKind::Transient(Scope::Channel), format!("{what}: {why}"))
    }

    /// Receivers have no provider that could be down: whether our own side works is asked.
    pub(crate) async fn probe(&self) -> Result<(), Outcome> {
        let still = |why: &str| Err(Outcome::new(OutcomeKind::Transient(Scope::Channel), why));
        if let Some(what) = exhausted_resource_now() {
            return still(what);
        }
        if self.reachability.has_recovered().await {
            Ok(())
        } else {
            still("no receiver is found that was reached before")
        }
    }
}

/// Why the host is unreachable, if the error leaves open whether it is the host's failure or ours.
fn why_unreachable(error: &reqwest::Error, host: &str) -> Option<Unreachable> {
    if error_chain(error).any(|cause| matches!(cause.downcast_ref(), Some(LookupError::NoAnswer(_)))) {
        return Some(Unreachable::Dns);
    }
    match errno(error)? {
        Errno::NETUNREACH | Errno::NETDOWN | Errno::AFNOSUPPORT | Errno::PERM | Errno::ACCESS => {
            Some(Unreachable::Route)
        }
        // So it is also called where there is no IPv6 and the host may have nothing else.
        Errno::ADDRNOTAVAIL if host.parse::<std::net::Ipv4Addr>().is_err() && !has_ipv6() => {
            Some(Unreachable::Route)
        }
        _ => None,
    }
}

/// An address of the public internet (a root server's) stands for all.
fn has_ipv6() -> bool {
    has_route_to((IpAddr::V6(Ipv6Addr::new(0x2001, 0x503, 0xba3e, 0, 0, 0, 2, 0x30)), 9).into())
}

fn host_of(url: &Url) -> String {
    match url.host() {
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(address)) => address.to_string(),
        Some(Host::Domain(name)) => name.to_owned(),
        None => String::new(),
    }
}
