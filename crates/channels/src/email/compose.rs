//! A message in the form of a mail.

use std::fmt::Display;
use std::time::{Duration, SystemTime};

use application::ports::{Content, Message};
use askama::Template;
use domain::Timestamp;
use domain::endpoint::{EmailAddress, Endpoint};
use domain::this_machine::leads_here;
use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder, MultiPart};
use lettre::{Address, Message as MimeMessage};

use super::settings::{Sender, with_ascii_domain};
use super::smtp_session::MailRequirements;
use super::stage_error::{Cause, Stage, StageError};

/// A mail, ready to be handed over.
pub(super) struct Mail {
    pub(super) recipient: Address,
    pub(super) requirements: MailRequirements,
    pub(super) content: Vec<u8>,
}

/// The HTML form: the text's lines, and the link, as a button or below.
#[derive(Template)]
#[template(path = "mail.html")]
struct Html<'a> {
    subject: &'a str,
    text: &'a str,
    link: Option<&'a str>,
    /// What the link does, in words.
    action: &'static str,
    /// The link is what the mail is for.
    button: bool,
}

/// Writes the mail. Repeats carry the same Message-ID.
pub(super) fn compose(from: &Sender, message: &Message) -> Result<Mail, StageError> {
    let recipient = match &message.endpoint {
        Endpoint::Email(address) => ascii_domain(address)?,
        other => return Err(uncomposable(format!("{} is no mail address", other.masked()))),
    };
    // Named here, since lettre would otherwise read the addresses back from the headers, and not every one can be.
    let envelope =
        Envelope::new(Some(from.address().clone()), vec![recipient.clone()]).map_err(uncomposable)?;
    let builder = MimeMessage::builder()
        .envelope(envelope)
        .from(from.mailbox().clone())
        .to(Mailbox::new(None, recipient.clone()))
        .subject(message.content.subject())
        .date(date(message.at))
        .message_id(Some(format!("<{}@{}>", message.id, from.address().domain())))
        .raw_header(header("Auto-Submitted", "auto-generated".to_owned()));
    let forms = MultiPart::alternative_plain_html(plain(&message.content), html(&message.content)?);
    let builder = match customer_address(&message.content) {
        Some(customer_address) => builder.reply_to(Mailbox::new(None, customer_address)),
        None => builder,
    };
    let list = format!("New orders <orders.{}>", from.address().domain());
    let content =
        list_headers(builder, &message.content, list).multipart(forms).map_err(uncomposable)?.formatted();
    let requirements = MailRequirements {
        international_address: !recipient.user().is_ascii(),
        eight_bits: !content.is_ascii(),
        size: content.len(),
    };
    Ok(Mail { recipient, requirements, content })
}

/// The address with its domain in ASCII form.
pub(super) fn ascii_domain(address: &EmailAddress) -> Result<Address, StageError> {
    let text = address.to_string();
    let (local_part, domain) = text.rsplit_once('@').unwrap_or((&text, ""));
    with_ascii_domain(local_part, domain).ok_or_else(|| uncomposable("the address cannot be written"))
}

/// The most of an order's text that a mail holds, in bytes: beyond it, it is read in the program.
const MAX_TEXT: usize = 6 * 1_024;

/// What the mail says, cut where an order is very long.
fn body_text(content: &Content) -> String {
    let text = content.text();
    let Content::Notification { order, .. } = content else { return text };
    if text.len() <= MAX_TEXT {
        return text;
    }
    let beginning = &text[..text.floor_char_boundary(MAX_TEXT)];
    format!(
        "{beginning}…\nThis order is longer than a mail. See all of it:\norderbell order show {}",
        order.id
    )
}

/// The text form: a notification's text stands unchanged above the signature line.
fn plain(content: &Content) -> String {
    match content {
        Content::Notification { unsubscribe_url, .. } => {
            format!("{}\n\n-- \nUnsubscribe: {unsubscribe_url}\n", body_text(content))
        }
        Content::Confirmation { confirm_url, .. } => format!("{}\n\n{confirm_url}\n", content.text()),
        Content::Notice { .. } | Content::Test => format!("{}\n", content.text()),
    }
}

fn html(content: &Content) -> Result<String, StageError> {
    let (action, button) = match content {
        Content::Confirmation { .. } => ("Confirm the subscription", true),
        Content::Notification { .. } | Content::Notice { .. } | Content::Test => ("Unsubscribe", false),
    };
    let form =
        Html { subject: content.subject(), text: &body_text(content), link: content.link(), action, button };
    form.render().map_err(uncomposable)
}

/// The customer's address, for `Reply-To`: whoever answers a notification speaks to the customer, where the order has an address that mail can be written to.
fn customer_address(content: &Content) -> Option<Address> {
    let Content::Notification { order, .. } = content else { return None };
    let (local_part, domain) = order.details.customer_email.as_deref()?.rsplit_once('@')?;
    // An address beyond ASCII in a header would ask every relay for SMTPUTF8.
    with_ascii_domain(local_part, domain).filter(|address| address.user().is_ascii())
}

/// RFC 8058 allows the one-click header for https only; beside it, links to this machine are for trying it out.
fn list_headers(builder: MessageBuilder, content: &Content, list: String) -> MessageBuilder {
    let Content::Notification { unsubscribe_url, .. } = content else { return builder };
    let builder = builder.raw_header(header("List-Id", list));
    let builder = builder.raw_header(header("List-Unsubscribe", format!("<{unsubscribe_url}>")));
    if !supports_one_click(unsubscribe_url) {
        return builder;
    }
    builder.raw_header(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()))
}

/// Over https alone (RFC 8058 3.1), or to try it on this machine.
fn supports_one_click(link: &str) -> bool {
    url::Url::parse(link).is_ok_and(|url| url.scheme() == "https" || leads_here(&url))
}

fn header(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value)
}

/// A mail's date has whole seconds from 1970 on.
fn date(at: Timestamp) -> SystemTime {
    let seconds = u64::try_from(at.as_second()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn uncomposable(why: impl Display) -> StageError {
    StageError { stage: Stage::Recipient, cause: Cause::Unwritable(why.to_string()) }
}
