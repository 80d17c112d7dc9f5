//! What commands beside a server are told of it.

use std::path::PathBuf;

use clap::Args;

use super::Failure;
use crate::config::{Layers, Local};

/// Which data folder and settings this machine's server has.
#[derive(Args, Clone)]
#[group(skip)]
pub(super) struct Flags {
    /// The data folder [default: as the server has it, else ./orderbell-data]
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<String>,
    /// The settings file [default: orderbell.toml, if it is there]
    #[arg(long, value_name = "FILE", env = "ORDERBELL_CONFIG")]
    pub(super) config: Option<PathBuf>,
}

impl Flags {
    /// Where the server is, by its file, the environment and these flags.
    ///
    /// # Errors
    /// `Usage` names every mistake.
    pub(super) fn resolve(&self) -> Result<Local, Failure> {
        let layers = Layers::default()
            .file(self.config.as_deref())
            .environment(std::env::vars_os())
            .flag("data", self.data.clone());
        Local::read(layers).map_err(Failure::Usage)
    }
}
