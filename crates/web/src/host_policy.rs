//! Which requests are let in, by how their bodies are framed, the host they name and the page they come from, before
//! anything else looks at them.
//!
//! What listens on loopback has neither a wall nor a password between itself and the pages that its owner's browser
//! shows. A page of anywhere can post to `http://127.0.0.1:8080`, and one whose own name is made to lead here (DNS
//! rebinding) can also read. The first gives itself away by its `Origin`, the second by the `Host` that it asks for.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use domain::this_machine::is_written_here;
use http::header::{HOST, ORIGIN, TRANSFER_ENCODING};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Request, StatusCode, Version};
use url::Url;

use crate::parameters::single;
use crate::problem::Problem;

/// Which requests are let in, by the host that they name.
#[derive(Debug, Clone)]
pub enum HostPolicy {
    /// Everyone: a gateway stands before this host and has read the request.
    Gateway,
    /// Everyone who speaks HTTP as RFC 9112, 3.2 and 6.1, has it. Others reach this listener by whatever name it has for
    /// them.
    CommonPorts,
    /// The same, who besides names this machine or one of `hosts`, and whose page, if there is one, is this machine's
    /// or of one of `origins`.
    Loopback {
        /// Other names by which clients reach this host, such as the public URL's where a proxy passes it on.
        hosts: Vec<HostName>,
        /// The origins whose pages are let in (`*`: all of them).
        origins: Vec<String>,
    },
}

/// The name or address of a host in the one form in which it is compared; `*` is every host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostName(String);

impl HostPolicy {
    /// Checks a request; refuses one that is not to be answered.
    pub(crate) fn check<B>(&self, request: &Request<B>) -> Result<(), Problem> {
        if matches!(self, Self::Gateway) {
            return Ok(());
        }
        refuse_transfer_codings(request.headers())?;
        let host = named_host(request)?;
        let Self::Loopback { hosts, origins } = self else { return Ok(()) };
        if let Some(host) = host.filter(|host| !is_written_here(&host.0) && !names_host(hosts, host)) {
            return Err(host_not_allowed(&host));
        }
        let origin = single(request.headers(), &ORIGIN, "Origin")?;
        let allowed = |origin: &HeaderValue| is_allowed(origin, hosts, origins);
        if origin.is_some_and(|origin| !allowed(origin)) {
            return Err(origin_not_allowed());
        }
        Ok(())
    }
}

/// Refuses a body that is more than cut into chunks (RFC 9112, 6.1): what is compressed besides would be read as it came.
fn refuse_transfer_codings(headers: &HeaderMap) -> Result<(), Problem> {
    let values =
        headers.get_all(TRANSFER_ENCODING).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let codings =
        values.flat_map(|value| value.split(',').map(|coding| coding.trim().to_owned()).collect::<Vec<_>>());
    let codings: Vec<_> = codings.filter(|coding| !coding.is_empty()).collect();
    let problem =
        |status, code, detail| Err(Problem::new(status, code, detail).at_field("Transfer-Encoding"));
    if codings.iter().any(|coding| !coding.eq_ignore_ascii_case("chunked")) {
        let detail = "The only transfer coding that is known here is chunked: send the body in no other";
        return problem(StatusCode::NOT_IMPLEMENTED, "unsupported_transfer_encoding", detail);
    }
    if codings.len() > 1 {
        return problem(StatusCode::BAD_REQUEST, "repeated_header", "A body is cut into chunks once");
    }
    Ok(())
}

/// The host that a request names. HTTP/1.1 must name one, once, in a form that can be read; a target that is a whole URL
/// counts for more than the header. HTTP/1.0 need not, and no browser speaks it.
fn named_host<B>(request: &Request<B>) -> Result<Option<HostName>, Problem> {
    let header = match single(request.headers(), &HOST, "Host")? {
        Some(value) => Some(HostName::of_header(value).ok_or_else(|| wrong_host("is no host"))?),
        None if request.version() >= Version::HTTP_11 => return Err(wrong_host("is missing")),
        None => None,
    };
    match request.uri().authority() {
        Some(authority) => HostName::of(authority).map(Some).ok_or_else(|| wrong_host("is no host")),
        None => Ok(header),
    }
}

fn names_host(hosts: &[HostName], host: &HostName) -> bool {
    hosts.iter().any(|known| known == host || known.0 == "*")
}

/// Whether a page of that origin may ask: this machine's own, one of a host that this is, or one that is named.
fn is_allowed(origin: &HeaderValue, hosts: &[HostName], origins: &[String]) -> bool {
    if origins.iter().any(|known| known == "*" || known.as_bytes() == origin.as_bytes()) {
        return true;
    }
    let url = origin.to_str().ok().and_then(|origin| Url::parse(origin).ok());
    let host = url.and_then(|url| url.host_str()?.parse::<HostName>().ok());
    host.is_some_and(|host| is_written_here(&host.0) || hosts.contains(&host))
}

impl HostName {
    fn of_header(value: &HeaderValue) -> Option<Self> {
        Self::of(&Authority::try_from(value.as_bytes()).ok()?)
    }

    fn of(authority: &Authority) -> Option<Self> {
        let port_is_right = match authority.as_str().rsplit_once(':') {
            Some((_, port)) if !port.ends_with(']') => port.is_empty() || authority.port_u16().is_some(),
            _ => true,
        };
        let bare = !authority.as_str().contains('@');
        (bare && port_is_right).then(|| authority.host().parse().ok()).flatten()
    }
}

impl FromStr for HostName {
    type Err = &'static str;

    /// Reads a name, an address, or `*`, without a port.
    fn from_str(text: &str) -> Result<Self, &'static str> {
        const WRONG: &str =
            "must be a host's name or address without a port, such as orders.example.com, or *";
        let name = text.trim().to_ascii_lowercase();
        let name = name.strip_suffix('.').unwrap_or(&name);
        if let Some(inside) = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
            let address: Ipv6Addr = inside.parse().map_err(|_| WRONG)?;
            return Ok(Self(format!("[{address}]")));
        }
        if let Ok(address) = name.parse::<Ipv6Addr>() {
            return Ok(Self(format!("[{address}]")));
        }
        // Names with underscores are none of DNS's hosts, and yet used within networks of containers.
        let is_of_a_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        let is_name = !name.is_empty() && name.chars().all(is_of_a_name);
        if is_name || name == "*" { Ok(Self(name.to_owned())) } else { Err(WRONG) }
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn wrong_host(why: &str) -> Problem {
    Problem::invalid("invalid_host", "Host", format!("The Host header {why}"))
}

fn host_not_allowed(host: &HostName) -> Problem {
    let detail = format!(
        "This server listens on loopback and is not called {host}: its operator can name it in allowed_hosts or public_url"
    );
    Problem::new(StatusCode::FORBIDDEN, "host_not_allowed", detail).at_field("Host")
}

fn origin_not_allowed() -> Problem {
    let detail = "This server listens on loopback and answers pages of this machine only: its operator can name others in \
                  cors_allow_origins";
    Problem::new(StatusCode::FORBIDDEN, "origin_not_allowed", detail).at_field("Origin")
}
