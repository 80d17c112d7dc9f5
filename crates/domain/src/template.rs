//! What an operator wrote in place of what the program says of an order: texts with the order's values in them.
//!
//! Templates are logic-less and in Mustache's words: `{{name}}` is a value, `{{#name}}…{{/name}}` a section that is there for
//! each of a list or where there is a value, `{{^name}}…{{/name}}` one that is there where there is none, `{{! … }}` nothing. What
//! one can cost is limited by what can be written: no list stands within a list, no template within another, every name is
//! known when the template is set, and there is no way to name anything but one order.

mod grammar;
mod html;
mod names;
mod render;
mod samples;

use std::fmt;
use std::str::FromStr;

use grammar::Parsed;
pub use names::{LISTS, Named, VALUES};
pub use render::{Told, Unwritten, Written};
pub use samples::sample_orders;
use serde::{Deserialize, Serialize};

use crate::Invalid;
use crate::endpoint::Protocol;
use crate::id::SubscriptionId;
use crate::reader::Reader;
use crate::shop::Shop;

/// The longest part of a template, in bytes.
pub const MAX_PART: usize = 16 * 1024;
/// The most tags of one part.
pub const MAX_TAGS: usize = 500;
/// How deep sections may stand in one another.
pub const MAX_SECTIONS: usize = 8;

/// For what a template is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TemplateName {
    /// All notifications over a protocol, but of subscriptions that have their own.
    Protocol(Protocol),
    /// Those of one subscription.
    Subscription(SubscriptionId),
}

/// A template as it was written: of a mail its subject, its text and its HTML, of all else its text. A part that is not there
/// stays the program's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateSource {
    /// Of a mail, on one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What is read where no HTML is; a webhook's `message`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Of a mail, within the frame that every mail of the shop has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
}

/// A template that can be filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    source: TemplateSource,
    /// What else needs no more room than it has: values stand on one line there, and lines of theirs behind one another.
    on_one_line: bool,
    subject: Option<Parsed>,
    text: Option<Parsed>,
    html: Option<Parsed>,
}

/// A part of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// See [`TemplateSource::subject`].
    Subject,
    /// See [`TemplateSource::text`].
    Text,
    /// See [`TemplateSource::html`].
    Html,
}

impl Part {
    /// As the API and the commands name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Text => "text",
            Self::Html => "html",
        }
    }
}

impl Template {
    /// Reads a template for messages over `protocol`, and tries it on [orders of every kind](sample_orders).
    ///
    /// # Errors
    /// `invalid_template`, which names the part, and where something in it is wrong, its line and column: what is no template,
    /// names nothing, is not closed, is longer than [`MAX_PART`], has more than [`MAX_TAGS`] tags, or has a value where HTML
    /// gives it another meaning.
    pub fn parse(source: TemplateSource, protocol: Protocol) -> Result<Self, Invalid> {
        let is_mail = protocol == Protocol::Email;
        let parts =
            [(Part::Subject, &source.subject), (Part::Text, &source.text), (Part::Html, &source.html)];
        if parts.iter().all(|(_, words)| words.is_none()) {
            let parts = if is_mail { "subject, text or html" } else { "text" };
            return Err(invalid("", format!("a template for {protocol} has {parts}")));
        }
        let [subject, text, html] = parts.map(|(part, words)| match words.as_deref() {
            None => Ok(None),
            Some(_) if part != Part::Text && !is_mail => {
                let name = part.name();
                Err(invalid(name, format!("{name} is a mail's: a template for {protocol} has text alone")))
            }
            Some(words) => Parsed::read(part, words).map(Some),
        });
        let on_one_line = protocol == Protocol::Sms;
        let template = Self { on_one_line, subject: subject?, text: text?, html: html?, source };
        template.try_out()?;
        Ok(template)
    }

    /// As it was written.
    #[must_use]
    pub fn source(&self) -> &TemplateSource {
        &self.source
    }

    /// With orders of every kind it says something.
    fn try_out(&self) -> Result<(), Invalid> {
        let (reader, shop) = (Reader::default(), Shop::default());
        for order in sample_orders() {
            let told = Told {
                order: &order,
                reader: &reader,
                shop: &shop,
                order_url: Some("https://orders.example/o/0"),
                unsubscribe_url: "https://orders.example/subscriptions/unsubscribe?token=0",
            };
            self.render(&told).map_err(|why| {
                let names = if order.details.products.items.is_empty() { "one product" } else { "items" };
                invalid(why.part.name(), format!("{why}, of a sample order of {names}"))
            })?;
        }
        Ok(())
    }
}

fn invalid(field: &str, message: String) -> Invalid {
    Invalid::new("invalid_template", field, message)
}

impl fmt::Display for TemplateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Protocol(protocol) => protocol.fmt(f),
            Self::Subscription(id) => id.fmt(f),
        }
    }
}

/// A protocol's name, or a subscription's id.
impl FromStr for TemplateName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if let Ok(protocol) = Protocol::parse(text) {
            return Ok(Self::Protocol(protocol));
        }
        let message = format!("a template is named {} or by the id of its subscription", Protocol::NAMES);
        let unknown = |_| Invalid::new("invalid_template_name", "name", message);
        text.parse().map(Self::Subscription).map_err(unknown)
    }
}
