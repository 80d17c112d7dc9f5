//! How many descriptors this process may have.

use std::num::NonZero;
use std::thread;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The descriptors that the store's files, its readers, the log and what is just being closed take, with room to spare.
const STORE_DESCRIPTORS: usize = 112;
/// The descriptors that each core's thread takes.
const DESCRIPTORS_PER_CORE: usize = 8;
/// The descriptors of a call to the outside: one for its connection, one for an idle connection that is kept for the next
/// call, or for asking a name server.
const DESCRIPTORS_PER_CALL: usize = 2;

/// Raises the number of descriptors that this process may have to the largest that it may choose itself (`ulimit -Hn`),
/// and gives that number.
pub(crate) fn raise() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let now = if setrlimit(Resource::Nofile, raised).is_ok() { raised } else { limit };
    // None is no limit.
    now.current.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX)
}

/// How many of `descriptors` may be the clients', if so many `calls` to the outside are under way at once: all but those
/// that are kept back for the store and the channels, and a quarter at the least.
pub(crate) fn for_clients(descriptors: usize, calls: usize) -> usize {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let kept_back = STORE_DESCRIPTORS + DESCRIPTORS_PER_CORE * cores + DESCRIPTORS_PER_CALL * calls;
    descriptors.saturating_sub(kept_back).max(descriptors / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_descriptors_are_kept_back_for_the_store_and_the_channels() {
        let cores = thread::available_parallelism().unwrap().get();
        let others = STORE_DESCRIPTORS + DESCRIPTORS_PER_CORE * cores;
        assert_eq!(for_clients(100_000, 92), 100_000 - 184 - others);
        assert_eq!(for_clients(100_000, 0), 100_000 - others);
        assert_eq!(for_clients(usize::MAX, 92), usize::MAX - 184 - others);
    }

    #[test]
    fn of_few_descriptors_the_clients_have_a_quarter() {
        assert_eq!(for_clients(256, 500), 64);
        assert_eq!(for_clients(0, 92), 0);
    }

    #[test]
    fn the_limit_is_raised_as_far_as_this_process_may() {
        let raised = raise();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
        assert_eq!(limit.current.map_or(usize::MAX, |most| usize::try_from(most).unwrap()), raised);
    }
}
