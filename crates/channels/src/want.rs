//! Want of our own: what this machine lacks is no receiver's failure, whichever call meets it first.

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
/// What one attempt needs at once: a look-up reads files and asks a resolver, then comes the connection.
const AN_ATTEMPTS_SOCKETS: usize = 4;

/// That this machine lacks this, in a person's words: for whoever found that out by other means than an errno.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lacking(pub(crate) &'static str);

impl fmt::Display for Lacking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Lacking {}

/// What this machine lacks, in a person's words, if that is why `error` came about.
pub(crate) fn lacking(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let found_out = || causes(error).find_map(|cause| Some(cause.downcast_ref::<Lacking>()?.0));
    errno(error).and_then(wanted).or_else(found_out)
}

fn wanted(errno: Errno) -> Option<&'static str> {
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

/// What the operating system said, wherever in the chain of causes it stands.
pub(crate) fn errno(error: &(dyn Error + 'static)) -> Option<Errno> {
    causes(error).find_map(|cause| {
        let error = cause.downcast_ref::<io::Error>()?;
        // What an I/O error wraps is no link of the chain: its source is the source of that.
        let inside = || error.get_ref().and_then(|inner| errno(inner));
        Errno::from_io_error(error).or_else(inside)
    })
}

/// An error and what led to it, the outermost first.
pub(crate) fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    successors(Some(error), |error| (*error).source())
}

/// The error's own words for a person: what is lacking here, or what happened last.
pub(crate) fn in_words(error: &(dyn Error + 'static)) -> String {
    let innermost = || causes(error).last().map(ToString::to_string).unwrap_or_default();
    lacking(error).map_or_else(innermost, str::to_owned)
}

/// What this machine lacks for an attempt right now, found out by taking as much and giving it back.
pub(crate) fn lacking_now() -> Option<&'static str> {
    let sockets: io::Result<Vec<_>> = (0..AN_ATTEMPTS_SOCKETS).map(|_| TcpSocket::new_v4()).collect();
    sockets.err().and_then(|error| lacking(&error))
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
                lacking(&of(errno)).is_some_and(|words| words.starts_with("this machine has no ")),
                "{errno}"
            );
        }
        for errno in [Errno::CONNREFUSED, Errno::CONNRESET, Errno::TIMEDOUT, Errno::HOSTUNREACH, Errno::PIPE]
        {
            assert_eq!(lacking(&of(errno)), None, "{errno}");
        }
    }

    #[test]
    fn it_is_found_however_deep_it_lies() {
        let wrapped = io::Error::other(io::Error::other(of(Errno::MFILE)));
        assert_eq!(lacking(&wrapped), Some(NO_DESCRIPTORS));
        assert_eq!(in_words(&wrapped), NO_DESCRIPTORS);
        assert_eq!(in_words(&io::Error::other("what happened")), "what happened");
    }
}
