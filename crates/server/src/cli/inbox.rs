//! `orderbell inbox list|show`.

use clap::Subcommand;
use reqwest::Method;

use super::api_client::{Server, ServerPage};
use super::table::Column;
use super::{Failure, argument, block_on, display, output};

#[derive(Subcommand)]
pub(super) enum Command {
    /// List messages that did not leave the machine, newest first
    List {
        #[command(flatten)]
        page: ServerPage,
    },
    /// Show a message
    Show {
        /// The message's id
        #[arg(value_parser = argument::id)]
        id: String,
        #[command(flatten)]
        server: Server,
    },
}

pub(super) const COLUMNS: [Column; 4] =
    [("Time", "/at"), ("Message", "/id"), ("To", "/to"), ("Subject", "/subject")];

pub(super) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::List { page } => block_on(list(page))?,
        Command::Show { id, server } => block_on(show(&id, server))?,
    }
}

async fn list(page: ServerPage) -> Result<(), Failure> {
    let answer = page.ask("/inbox", &[]).await?;
    let shown = page.server.show(&answer, |answer| {
        output::list(answer, &COLUMNS)?;
        if answer["items"].as_array().is_some_and(Vec::is_empty) {
            output::note("here is kept what goes over protocols that no provider is configured for");
        }
        Ok(())
    });
    Ok(shown?)
}

async fn show(id: &str, server: Server) -> Result<(), Failure> {
    let message = server.ask(Method::GET, &format!("/inbox/{id}"), None).await?;
    let shown = server.show(&message, |message| {
        for (label, member) in [("To", "to"), ("Subject", "subject")] {
            output::line(&format!("{label}: {}", display::cell(message.get(member))))?;
        }
        output::line(&format!("\n{}\n", display::cell(message.get("text"))))?;
        let mut links = ["orderUrl", "link"].into_iter().filter_map(|member| message.get(member));
        links.try_for_each(|link| output::line(&display::cell(Some(link))))
    });
    Ok(shown?)
}
