//! `orderbell key new`: a key for a client that places orders.

use clap::Subcommand;

use super::{Failure, output};
use crate::host::SystemRandomness;
use crate::keys::new_key;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Make a key, and the line that lets the server know it
    New {
        /// Whose key it is
        name: String,
    },
}

/// Prints a new key, which is kept nowhere, and what to configure.
pub(super) fn new(name: &str) -> Result<(), Failure> {
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')) {
        return Err(Failure::Usage(vec!["NAME must be of A-Z a-z 0-9 - _ .".to_owned()]));
    }
    let key = new_key("obk_", &SystemRandomness);
    output::line(&key);
    output::note("Give it to the client; it is not shown again. In orderbell.toml:\n");
    output::note(&format!("intake = \"key\"\n[intake_keys]\n{name} = \"{}\"", web::KeyHash::of(&key)));
    Ok(())
}
