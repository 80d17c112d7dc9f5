//! `orderbell doctor smtp`: walks the way of a mail to its relay and says what fails.

use anyhow::anyhow;
use channels::email::doctor::examine;
use clap::{Args, Subcommand};
use domain::endpoint::EmailAddress;

use super::{Failure, block_on, configure, output, serve};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Walk name, connection, TLS, login, sender and recipient; nothing is sent
    Smtp(Flags),
}

#[derive(Args)]
#[group(skip)]
pub(super) struct Flags {
    /// A recipient to ask the relay about
    #[arg(long, value_name = "ADDRESS")]
    to: Option<String>,
    #[command(flatten)]
    serve: serve::Flags,
}

/// Walks the way and prints each step.
pub(super) fn smtp(flags: &Flags) -> Result<(), Failure> {
    let config = configure(&flags.serve)?;
    let Some(settings) = config.smtp else {
        let how = "smtp.host (ORDERBELL_SMTP_HOST): is missing: there is no relay to examine";
        return Err(Failure::Usage(vec![how.to_owned()]));
    };
    let recipient = flags.to.as_ref().map(|to| EmailAddress::parse("--to", to)).transpose();
    let recipient = recipient.map_err(|invalid| Failure::Usage(vec![invalid.message]))?;
    let steps = block_on(examine(&settings, recipient.as_ref()))?;
    for step in &steps {
        match &step.result {
            Ok(detail) => output::line(&format!("ok      {:<10} {detail}", step.name))?,
            Err(why) => output::line(&format!("FAILED  {:<10} {why}", step.name))?,
        }
    }
    match steps.iter().find(|step| step.result.is_err()) {
        Some(step) => Err(anyhow!("mail cannot be sent: {} failed", step.name).into()),
        None => Ok(()),
    }
}
