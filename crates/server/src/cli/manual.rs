//! `orderbell completions` and `orderbell man`: what the command line says of itself, for shells and for readers.

use anyhow::anyhow;
use clap::{CommandFactory, Parser};
use clap_complete::Shell;
use clap_mangen::Man;

use super::{Cli, Failure, output};

#[derive(Parser)]
pub(super) struct Page {
    /// The command whose page is wanted, such as `order place` [default: the program's own]
    #[arg(value_name = "COMMAND")]
    pub(super) of: Vec<String>,
}

/// Prints what lets a shell complete commands and flags.
pub(super) fn completions(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "orderbell", &mut script);
    Ok(output::bytes(&script)?)
}

/// Prints a page of the manual, as `man` reads it.
pub(super) fn man(page: &Page) -> Result<(), Failure> {
    Ok(output::bytes(&roff(page)?)?)
}

/// The page. At its foot stands the program, whichever command it is of.
pub(super) fn roff(page: &Page) -> Result<Vec<u8>, Failure> {
    let mut command = Cli::command();
    command.build();
    for name in &page.of {
        let found = command.find_subcommand(name).cloned();
        command = found.ok_or_else(|| Failure::Usage(vec![format!("there is no command {name:?} here")]))?;
    }
    let mut roff = Vec::new();
    let source = concat!("orderbell ", env!("CARGO_PKG_VERSION"));
    Man::new(command)
        .source(source)
        .render(&mut roff)
        .map_err(|error| anyhow!("the page cannot be made: {error}"))?;
    Ok(roff)
}
