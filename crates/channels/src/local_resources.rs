//! Exhaustion of this machine's own resources (descriptors, memory, threads, ports), which is no receiver's failure,
//! whichever call meets it first.

use std::error::Error;
use std::fmt;
use std::io;
use std::iter::successors;

use rustix::io::Errno;
use tokio::net::TcpSocket;

/// No thread could be started.
pub(crate) const NO_THREADS: &str = "this machine has no threads left for the program";
/// No memory could be had.
pub(crate) const NO_MEMORY: &str = "this machine has no memory left";
const NO_DESCRIPTORS: &str = "this machine has no file descriptors left for the program";
const NO_DESCRIPTORS_AT_ALL: &str = "this machine has no file descriptors left";
const NO_PORTS: &str = "this machine has no local port left";
/// The sockets that one attempt needs at once: a look-up reads files and asks a resolver, then comes the connection.
const SOCKETS_PER_ATTEMPT: usize = 4;

/// This resource is exhausted, in a person's words: for whoever found that out by other means than an errno.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ResourceExhausted(pub(crate) &'static str);

impl fmt::Display for ResourceExhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for ResourceExhausted {}

/// The exhausted resource, in a person's words, if that is why `error` came about.
pub(crate) fn exhausted_resource(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let found_out =
        || error_chain(error).find_map(|cause| Some(cause.downcast_ref::<ResourceExhausted>()?.0));
    errno(error).and_then(resource_of).or_else(found_out)
}

fn resource_of(errno: Errno) -> Option<&'static str> {
    match errno {
        Errno::MFILE => Some(NO_DESCRIPTORS),
        Errno::NFILE => Some(NO_DESCRIPTORS_AT_ALL),
        Errno::NOMEM | Errno::NOBUFS => Some(NO_MEMORY),
        // No thread or process, no route's entry, no port: whatever it is, nobody else ran out of it.
        Errno::AGAIN => Some(NO_THREADS),
        Errno::ADDRNOTAVAIL => Some(NO_PORTS),
        _ => None,
    }
}

/// The operating system's error, wherever in the chain of causes it stands.
pub(crate) fn errno(error: &(dyn Error + 'static)) -> Option<Errno> {
    error_chain(error).find_map(|cause| {
        let error = cause.downcast_ref::<io::Error>()?;
        // What an I/O error wraps is no link of the chain: its source is the source of that.
        let inside = || error.get_ref().and_then(|inner| errno(inner));
        Errno::from_io_error(error).or_else(inside)
    })
}

/// An error and what led to it, the outermost first.
pub(crate) fn error_chain<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    successors(Some(error), |error| (*error).source())
}

/// Describes an error to a person: the exhausted resource, or else its innermost cause.
pub(crate) fn describe(error: &(dyn Error + 'static)) -> String {
    let innermost = || error_chain(error).last().map(ToString::to_string).unwrap_or_default();
    exhausted_resource(error).map_or_else(innermost, str::to_owned)
}

/// The resource that an attempt would lack right now, found out by opening as many sockets and closing them.
pub(crate) fn exhausted_resource_now() -> Option<&'static str> {
    let sockets: io::Result<Vec<_>> = (0..SOCKETS_PER_ATTEMPT).map(|_| TcpSocket::new_v4()).collect();
    sockets.err().and_then(|error| exhausted_resource(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(errno: Errno) -> io::Error {
        io::Error::from_raw_os_error(errno.raw_os_error())
    }

    #[test]
    fn what_this_machine_lacks_is_told_from_what_a_receiver_does() {
        for errno in
            [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::NOBUFS, Errno::AGAIN, Errno::ADDRNOTAVAIL]
        {
            assert!(
                exhausted_resource(&of(errno)).is_some_and(|words| words.starts_with("this machine has no ")),
                "{errno}"
            );
        }
        for errno in [Errno::CONNREFUSED, Errno::CONNRESET, Errno::TIMEDOUT, Errno::HOSTUNREACH, Errno::PIPE]
        {
            assert_eq!(exhausted_resource(&of(errno)), None, "{errno}");
        }
    }

    #[test]
    fn an_errno_is_found_however_deep_in_an_error_chain() {
        let wrapped = io::Error::other(io::Error::other(of(Errno::MFILE)));
        assert_eq!(exhausted_resource(&wrapped), Some(NO_DESCRIPTORS));
        assert_eq!(describe(&wrapped), NO_DESCRIPTORS);
        assert_eq!(describe(&io::Error::other("what happened")), "what happened");
    }
}
