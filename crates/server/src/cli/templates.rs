//! `orderbell template list|show|set|preview|reset`.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand};
use domain::template::{LISTS, TemplateName, VALUES};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::api_client::Server;
use super::table::Column;
use super::{Failure, argument, block_on, display, output};

#[derive(Subcommand)]
pub(super) enum Command {
    /// List the templates that are set
    List {
        #[command(flatten)]
        server: Server,
    },
    /// List the names that a template can use
    Names,
    /// Show a template
    Show {
        #[command(flatten)]
        template: Name,
        #[command(flatten)]
        server: Server,
    },
    /// Set what notifications say: over a protocol, or to one subscription
    ///
    /// A part that is not given is the program's own.
    Set {
        #[command(flatten)]
        template: Name,
        #[command(flatten)]
        parts: Parts,
        #[command(flatten)]
        server: Server,
    },
    /// Show what a message would say; nothing is sent, and nothing is set
    Preview {
        #[command(flatten)]
        template: Name,
        #[command(flatten)]
        parts: Parts,
        /// Of this order, by its id [default: one made up for this]
        #[arg(long, value_name = "ORDER", value_parser = argument::id)]
        order: Option<String>,
        #[command(flatten)]
        server: Server,
    },
    /// Take a template away: the program's own words stand again
    Reset {
        #[command(flatten)]
        template: Name,
        #[command(flatten)]
        server: Server,
    },
}

/// Which template.
#[derive(Args)]
#[group(skip)]
pub(super) struct Name {
    /// email, sms, webhook or chat, or the id of a subscription
    #[arg(value_name = "NAME", value_parser = name)]
    name: String,
}

/// The parts of a template, each in a file.
#[derive(Args)]
#[group(skip)]
pub(super) struct Parts {
    /// The subject of a mail; - is standard input
    #[arg(long, value_name = "FILE")]
    subject: Option<PathBuf>,
    /// The text; of a webhook, its message
    #[arg(long, value_name = "FILE")]
    text: Option<PathBuf>,
    /// The HTML of a mail: what stands in its frame
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

const COLUMNS: [Column; 4] =
    [("Template", "/name"), ("Protocol", "/protocol"), ("Parts", "/said"), ("Set", "/setAt")];

pub(super) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::List { server } => block_on(list(server))?,
        Command::Names => names(),
        Command::Show { template, server } => block_on(show(&template.name, server))?,
        Command::Set { template, parts, server } => block_on(set(&template.name, parts, server))?,
        Command::Preview { template, parts, order, server } => {
            block_on(preview(&template.name, parts, order, server))?
        }
        Command::Reset { template, server } => block_on(reset(&template.name, server))?,
    }
}

/// A template's name.
fn name(text: &str) -> Result<String, String> {
    text.trim().parse::<TemplateName>().map(|name| name.to_string()).map_err(|wrong| wrong.message)
}

impl Parts {
    /// As the API takes them.
    fn read(self) -> Result<Map<String, Value>, Failure> {
        let mut parts = Map::new();
        for (name, file) in [("subject", self.subject), ("text", self.text), ("html", self.html)] {
            if let Some(file) = file {
                parts.insert(name.to_owned(), json!(words_of(name, &file)?));
            }
        }
        Ok(parts)
    }
}

/// The words of a part. Editors end every file with a line's end, which no subject has.
fn words_of(part: &str, file: &Path) -> anyhow::Result<String> {
    let words = String::from_utf8(argument::read(file)?)
        .with_context(|| format!("{} is not encoded as UTF-8", file.display()))?;
    let words = words.strip_prefix('\u{feff}').unwrap_or(&words);
    Ok(if part == "subject" { words.trim_end().to_owned() } else { words.to_owned() })
}

async fn list(server: Server) -> Result<(), Failure> {
    let answer = server.ask(Method::GET, "/templates", None).await?;
    let shown = server.show(&answer, |answer| {
        let mut answer = answer.clone();
        for template in answer["items"].as_array_mut().into_iter().flatten() {
            let parts = template["parts"].as_array().into_iter().flatten().filter_map(Value::as_str);
            template["said"] = json!(parts.collect::<Vec<_>>().join(", "));
        }
        output::list(&answer, &COLUMNS)?;
        for template in answer["items"].as_array().into_iter().flatten() {
            if let Some(error) = template["error"].as_str() {
                let name = display::cell(template.get("name"));
                output::note(&display::terminal_safe(&format!("{name} is not used: {error}")));
            }
        }
        if answer["items"].as_array().is_some_and(Vec::is_empty) {
            output::note("no template is set: every message says what is built in");
        }
        Ok(())
    });
    Ok(shown?)
}

/// The names and what they mean, by list.
fn names() -> Result<(), Failure> {
    let line = |name: &str, meaning: &str| output::line(&format!("  {name:<16} {meaning}"));
    output::line(
        "Values of an order: {{name}}, {{#name}}…{{/name}} where there is one, {{^name}}…{{/name}} where not",
    )?;
    for value in &VALUES {
        line(value.name, value.meaning)?;
    }
    line("attributes.NAME", "an attribute")?;
    line("extra.NAME", "what the program does not know; extra.NAME.NAME of an object")?;
    for (list, values) in &LISTS {
        output::line(&format!("\n{{{{#{0}}}}}…{{{{/{0}}}}}: {1}; of each", list.name, list.meaning))?;
        for value in *values {
            line(value.name, value.meaning)?;
        }
    }
    Ok(())
}

async fn show(name: &str, server: Server) -> Result<(), Failure> {
    let template = server.ask(Method::GET, &format!("/templates/{name}"), None).await?;
    let shown = server.show(&template, |template| {
        let set_at = template["setAt"].as_str().map(display::local_time).unwrap_or_default();
        output::line(&format!("{name}, set {set_at}"))?;
        say_parts(template)?;
        match template["error"].as_str() {
            Some(error) => output::line(&display::terminal_safe(&format!("\nIt is not used: {error}"))),
            None => Ok(()),
        }
    });
    Ok(shown?)
}

fn say_parts(answer: &Value) -> Result<(), output::StdoutError> {
    for (part, label) in [("subject", "Subject"), ("text", "Text"), ("html", "HTML")] {
        if let Some(words) = answer[part].as_str() {
            output::line(&format!("\n{label}:\n{}", display::terminal_safe(words.trim_end())))?;
        }
    }
    Ok(())
}

async fn set(name: &str, parts: Parts, server: Server) -> Result<(), Failure> {
    let parts = parts.read()?;
    let answer = server.ask(Method::PUT, &format!("/templates/{name}"), Some(&Value::from(parts))).await?;
    Ok(server.say(&answer, |_| format!("{name} is set: it holds for whatever is sent from now on"))?)
}

async fn preview(name: &str, parts: Parts, order: Option<String>, server: Server) -> Result<(), Failure> {
    let mut request = parts.read()?;
    request.extend(order.map(|order| ("orderId".to_owned(), json!(order))));
    let path = format!("/templates/{name}/preview");
    let answer = server.ask(Method::POST, &path, Some(&Value::from(request))).await?;
    let shown = server.show(&answer, |answer| {
        say_parts(answer)?;
        if let Some(why) = answer["unused"].as_str() {
            output::note(&format!("these are the built-in texts, since of the template {why}"));
        }
        Ok(())
    });
    Ok(shown?)
}

async fn reset(name: &str, server: Server) -> Result<(), Failure> {
    let answer = server.ask(Method::DELETE, &format!("/templates/{name}"), None).await?;
    Ok(server.say(&answer, |_| format!("{name} is taken away"))?)
}
