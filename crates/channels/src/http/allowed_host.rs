//! Receivers in private networks that the operator allows by name.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

/// A host whose webhooks may be in a private network: the host's name, an IP address, or a network (`10.1.0.0/16`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedHost {
    /// The host of a webhook's URL, whatever address it has; in lower case.
    Name(String),
    /// An address that a webhook's URL holds or its host resolves to.
    Network(IpNet),
}

/// It is no host name, IP address or network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidHost(String);

impl FromStr for AllowedHost {
    type Err = InvalidHost;

    fn from_str(text: &str) -> Result<Self, InvalidHost> {
        let text = text.trim();
        if let Ok(network) = text.parse::<IpNet>() {
            return Ok(Self::Network(network.trunc()));
        }
        if let Ok(address) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
            return Ok(Self::Network(address.into()));
        }
        match url::Host::parse(text) {
            Ok(url::Host::Domain(name)) => Ok(Self::Name(bare(&name).to_owned())),
            _ => Err(InvalidHost(text.to_owned())),
        }
    }
}

impl AllowedHost {
    pub(super) fn is_named(&self, host: &str) -> bool {
        matches!(self, Self::Name(name) if name == bare(host))
    }

    pub(super) fn holds(&self, address: IpAddr) -> bool {
        matches!(self, Self::Network(network) if network.contains(&address))
    }
}

/// A name without the dot that only says that it is complete.
fn bare(host: &str) -> &str {
    host.strip_suffix('.').unwrap_or(host)
}

impl fmt::Display for InvalidHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no host name, IP address or network such as 10.1.0.0/16", self.0)
    }
}

impl std::error::Error for InvalidHost {}
