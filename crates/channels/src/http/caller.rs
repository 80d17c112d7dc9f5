//! Calling receivers whose URLs come from outside, each a server of its own.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use domain::attempt::{Outcome, OutcomeKind, Scope};
use reqwest::{Client, Request, StatusCode};
use rustix::io::Errno;
use url::{Host, Url};

use super::allowed_host::AllowedHost;
use super::reach::{Missing, Reach, has_way_to};
use super::{Answer, NoClient, guarded_client, read, unanswered};
use crate::names::Unfound;
use crate::want::{causes, errno, in_words, lacking_now};

/// Calls receivers, and knows whether it reaches any.
pub(crate) struct Caller {
    pub(super) client: Client,
    reach: Reach,
}

impl Caller {
    /// Connects only to addresses on the public internet, and to `allowed`; trusts the certificates in `ca` (PEM) too.
    /// `timeout` is the limit for connecting, and again for the whole answer.
    pub(crate) fn new(
        allowed: &[AllowedHost],
        ca: Option<&[u8]>,
        timeout: Duration,
    ) -> Result<Self, NoClient> {
        Ok(Self {
            client: guarded_client(allowed, ca, timeout)?,
            reach: Reach::new(super::look_up_limit(timeout)),
        })
    }

    /// For building requests.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Makes one request. The body is waited for where the answer's status makes it `needed`. That there was no
    /// connection is the receiver's failure, unless it is ours.
    pub(crate) async fn ask(
        &self,
        request: Request,
        needed: impl Fn(StatusCode) -> bool,
    ) -> Result<Answer, Outcome> {
        let host = host_of(request.url());
        match self.client.execute(request).await {
            Ok(response) => {
                self.reach.reached(&host);
                Ok(read(response, needed).await)
            }
            Err(error) if error.is_connect() => Err(self.unconnected(&error, &host).await),
            Err(error) => {
                self.reach.reached(&host);
                Err(unanswered(&error, Scope::Endpoint))
            }
        }
    }

    async fn unconnected(&self, error: &reqwest::Error, host: &str) -> Outcome {
        let why = in_words(error);
        let Some(missing) = missing(error, host) else { return unanswered(error, Scope::Endpoint) };
        if !self.reach.is_ours(host, missing).await {
            return Outcome::new(OutcomeKind::Transient(Scope::Endpoint), format!("no connection: {why}"));
        }
        let what = match missing {
            Missing::Name => "this machine's resolver does not answer",
            Missing::Way => "this machine's network leads nowhere",
        };
        Outcome::new(OutcomeKind::Transient(Scope::Channel), format!("{what}: {why}"))
    }

    /// Receivers have no provider that could be down: whether our own side works is asked.
    pub(crate) async fn probe(&self) -> Result<(), Outcome> {
        let still = |why: &str| Err(Outcome::new(OutcomeKind::Transient(Scope::Channel), why));
        if let Some(what) = lacking_now() {
            return still(what);
        }
        if self.reach.works_again().await {
            Ok(())
        } else {
            still("no receiver is found that was reached before")
        }
    }
}

/// What was missing on the way, if the error leaves open whether it is the host's failure or ours.
fn missing(error: &reqwest::Error, host: &str) -> Option<Missing> {
    if causes(error).any(|cause| matches!(cause.downcast_ref(), Some(Unfound::NoAnswer(_)))) {
        return Some(Missing::Name);
    }
    match errno(error)? {
        Errno::NETUNREACH | Errno::NETDOWN | Errno::AFNOSUPPORT | Errno::PERM | Errno::ACCESS => {
            Some(Missing::Way)
        }
        // So it is also called where there is no IPv6 and the host may have nothing else.
        Errno::ADDRNOTAVAIL if host.parse::<std::net::Ipv4Addr>().is_err() && !has_ipv6() => {
            Some(Missing::Way)
        }
        _ => None,
    }
}

/// An address of the public internet (a root server's) stands for all.
fn has_ipv6() -> bool {
    has_way_to((IpAddr::V6(Ipv6Addr::new(0x2001, 0x503, 0xba3e, 0, 0, 0, 2, 0x30)), 9).into())
}

fn host_of(url: &Url) -> String {
    match url.host() {
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(address)) => address.to_string(),
        Some(Host::Domain(name)) => name.to_owned(),
        None => String::new(),
    }
}
