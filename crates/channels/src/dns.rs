//! Looking names up in the DNS, and what it means if that fails: the name is at fault, or nobody answers us.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::panic::catch_unwind;
use std::time::Duration;

use domain::this_machine::is_here;
use url::Host;

use crate::local_resources::{
    NO_MEMORY, NO_THREADS, ResourceExhausted, errno, exhausted_resource, exhausted_resource_now,
};

/// Why a look-up failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LookupError {
    /// This machine lacks a resource that it takes to ask.
    ResourceExhausted(ResourceExhausted),
    /// No resolver answered in time, or none of those asked could: ours may be gone, or those of the name.
    NoAnswer(String),
    /// A resolver answered: there is no such name, or it has no address.
    NoSuchName(String),
}

/// The texts of `gai_strerror` for a temporary failure: `EAI_AGAIN` of glibc and Apple, of musl. Rust tells the text
/// alone.
const EAI_AGAIN: [&str; 2] = ["Temporary failure in name resolution", "Try again"];
/// `EAI_MEMORY` of both.
const EAI_MEMORY: [&str; 2] = ["Memory allocation failure", "Out of memory"];

/// The addresses of `host`, asked for no longer than `limit`. Nobody is asked where this machine is: what goes there in the
/// clear goes nowhere else, whatever a resolver says (RFC 6761 6.3).
pub(crate) async fn look_up(host: &str, port: u16, limit: Duration) -> Result<Vec<SocketAddr>, LookupError> {
    if is_here(&Host::Domain(host)) {
        let here: [IpAddr; 2] = [Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()];
        return Ok(here.map(|address| SocketAddr::new(address, port)).to_vec());
    }
    let asked = (host.to_owned(), port);
    let look = move || asked.to_socket_addrs().map(Iterator::collect::<Vec<_>>);
    // Where no thread is left the runtime panics.
    let looking = catch_unwind(|| tokio::task::spawn_blocking(look));
    let Ok(looking) = looking else {
        return Err(LookupError::ResourceExhausted(ResourceExhausted(NO_THREADS)));
    };
    match tokio::time::timeout(limit, looking).await {
        Ok(Ok(Ok(found))) if found.is_empty() => {
            Err(LookupError::NoSuchName("the name has no address".to_owned()))
        }
        Ok(Ok(Ok(found))) => Ok(found),
        Ok(Ok(Err(error))) => Err(classify(&error)),
        Ok(Err(broken)) => Err(LookupError::NoAnswer(format!("the look-up broke off: {broken}"))),
        Err(_) => Err(LookupError::NoAnswer(format!("no resolver answers within {} s", limit.as_secs_f32()))),
    }
}

fn classify(error: &io::Error) -> LookupError {
    let text = error.to_string();
    // Without descriptors the C library may say that there is no such name.
    if let Some(exhausted_resource) = exhausted_resource(error).or_else(exhausted_resource_now) {
        LookupError::ResourceExhausted(ResourceExhausted(exhausted_resource))
    } else if EAI_MEMORY.iter().any(|known| text.ends_with(known)) {
        LookupError::ResourceExhausted(ResourceExhausted(NO_MEMORY))
    } else if errno(error).is_some() || EAI_AGAIN.iter().any(|known| text.ends_with(known)) {
        LookupError::NoAnswer(text)
    } else {
        LookupError::NoSuchName(text)
    }
}

impl fmt::Display for LookupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ResourceExhausted(exhausted_resource) => exhausted_resource.fmt(f),
            Self::NoAnswer(classify) | Self::NoSuchName(classify) => f.write_str(classify),
        }
    }
}

impl Error for LookupError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::ResourceExhausted(exhausted_resource) => Some(exhausted_resource),
            Self::NoAnswer(_) | Self::NoSuchName(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use rustix::io::Errno;

    use super::*;

    /// As the standard library puts what `getaddrinfo` says.
    fn getaddrinfo_error(text: &str) -> LookupError {
        classify(&io::Error::other(format!("failed to lookup address information: {text}")))
    }

    #[test]
    fn a_resolver_that_answers_is_told_from_none_at_all() {
        for text in ["Temporary failure in name resolution", "Try again"] {
            assert!(matches!(getaddrinfo_error(text), LookupError::NoAnswer(_)), "{text}");
        }
        for text in [
            "Name or service not known",
            "No address associated with hostname",
            "Name does not resolve",
            "Non-recoverable failure in name resolution",
            "nodename nor servname provided, or not known",
        ] {
            assert!(matches!(getaddrinfo_error(text), LookupError::NoSuchName(_)), "{text}");
        }
        assert_eq!(
            getaddrinfo_error("Memory allocation failure"),
            LookupError::ResourceExhausted(ResourceExhausted(NO_MEMORY))
        );
    }

    #[test]
    fn what_the_system_could_not_do_is_no_name_that_does_not_exist() {
        let of = |errno: Errno| classify(&io::Error::from_raw_os_error(errno.raw_os_error()));
        assert!(matches!(of(Errno::MFILE), LookupError::ResourceExhausted(_)));
        assert!(matches!(of(Errno::NETUNREACH), LookupError::NoAnswer(_)));
    }

    #[tokio::test]
    async fn a_name_of_this_machine_is_found() {
        for name in ["localhost", "LOCALHOST.", "orders.localhost"] {
            let found = look_up(name, 7, Duration::from_secs(5)).await.unwrap();
            assert!(found.iter().all(|address| address.port() == 7 && address.ip().is_loopback()), "{name}");
        }
    }
}
