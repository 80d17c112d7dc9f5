//! The command line: one file per noun, with its commands. A command says one of them, its file all: `orderbell order show`
//! is in `orders.rs`.

mod api_client;
mod argument;
mod audit;
mod backup;
mod connection_error;
mod deliveries;
mod display;
mod doctor;
mod flag_names;
mod inbox;
mod invoke;
mod keys;
mod manual;
mod orders;
mod output;
mod restore;
mod serve;
mod subscriptions;
mod table;
mod templates;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, Layers};

/// Takes orders over HTTP, stores each once, and tells everyone who should know.
#[derive(Parser)]
#[command(name = "orderbell", version, propagate_version = true, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: serve::Flags,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server (also what no subcommand does)
    Serve(serve::Flags),
    /// Place orders and look at them
    #[command(subcommand)]
    Order(orders::Command),
    /// Manage subscriptions
    #[command(subcommand)]
    Subscription(subscriptions::Command),
    /// See messages and their attempts, and send again what died
    #[command(subcommand)]
    Delivery(deliveries::Command),
    /// Say in your own words what notifications say
    #[command(subcommand)]
    Template(templates::Command),
    /// Read the sandbox inbox
    #[command(subcommand)]
    Inbox(inbox::Command),
    /// Hand an AWS event to the function and print its response
    ///
    /// Exits with 1 where the response's statusCode is 400 or more.
    Invoke(invoke::Flags),
    /// Reconcile what was ordered with what was told, and name every exception
    Audit(audit::Flags),
    /// Copy everything that is stored into one file, also while the server runs
    Backup(backup::Flags),
    /// Make a data folder of a backup; what waited is held until you release it
    Restore(restore::Flags),
    /// Find out what is wrong with a provider
    #[command(subcommand)]
    Doctor(doctor::Command),
    /// Make keys for clients that place orders
    #[command(subcommand)]
    Key(keys::Command),
    /// Print what lets a shell complete commands: bash, zsh, fish, elvish or powershell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page of the program, or of one command: `orderbell man order place | man -l -`
    Man(manual::Page),
}

/// Why a command did not do what it should.
enum Failure {
    /// Wrong usage or configuration: every mistake.
    Usage(Vec<String>),
    /// It was tried and failed.
    Failed(anyhow::Error),
    /// It failed, and has said so.
    Reported,
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// The exit code of a program whose reader went away, as a shell tells it of one that SIGPIPE ended.
const READER_WENT_AWAY: u8 = 128 + 13;

/// Runs the command that was asked for. Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 141 if the reader of
/// standard output went away.
pub(crate) fn run() -> ExitCode {
    let done = match Cli::try_parse() {
        Ok(cli) => obey(cli),
        // Help and the version are asked for, and printed like any other answer.
        Err(asked) if !asked.use_stderr() => {
            output::line(asked.render().to_string().trim_end()).map_err(Into::into)
        }
        Err(wrong) => {
            output::note(wrong.render().to_string().trim_end());
            return ExitCode::from(2);
        }
    };
    done.map_or_else(report_failure, |()| ExitCode::SUCCESS)
}

fn obey(cli: Cli) -> Result<(), Failure> {
    match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(flags) => serve::serve(&flags),
        Command::Order(command) => orders::run(command),
        Command::Subscription(command) => subscriptions::run(command),
        Command::Delivery(command) => deliveries::run(command),
        Command::Template(command) => templates::run(command),
        Command::Inbox(command) => inbox::run(command),
        Command::Invoke(flags) => invoke::invoke(&flags),
        Command::Audit(flags) => audit::run(&flags),
        Command::Backup(flags) => backup::run(&flags),
        Command::Restore(flags) => restore::run(&flags),
        Command::Doctor(doctor::Command::Smtp(flags)) => doctor::smtp(&flags),
        Command::Key(keys::Command::New { name }) => keys::new(&name),
        Command::Completions { shell } => manual::completions(shell),
        Command::Man(page) => manual::man(&page),
    }
}

/// Says why a command failed, and answers its exit code.
fn report_failure(failure: Failure) -> ExitCode {
    match failure {
        Failure::Usage(mistakes) => {
            for mistake in mistakes {
                output::note(&format!("orderbell: {mistake}"));
            }
            ExitCode::from(2)
        }
        Failure::Failed(error) if error.downcast_ref().is_some_and(output::StdoutError::is_closed) => {
            ExitCode::from(READER_WENT_AWAY)
        }
        Failure::Failed(error) => {
            output::note(&format!("orderbell: {error:#}"));
            ExitCode::FAILURE
        }
        Failure::Reported => ExitCode::FAILURE,
    }
}

/// Every setting from the file, the environment and the flags that all commands share.
fn configure(flags: &serve::Flags) -> Result<Config, Failure> {
    let layers = Layers::default()
        .file(flags.config.as_deref())
        .environment(std::env::vars_os())
        .flag("listen", flags.listen.clone())
        .flag("data", flags.data.clone())
        .flag("public_url", flags.public_url.clone())
        .flag("intake", flags.intake.clone());
    Config::read(layers).map_err(Failure::Usage)
}

/// A runtime for commands that only ask a server.
fn block_on<T>(future: impl Future<Output = T>) -> anyhow::Result<T> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future))
}

#[cfg(test)]
mod tests;
