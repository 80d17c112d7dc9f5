//! A message in the form of a mail.

use std::fmt::Display;
use std::time::{Duration, SystemTime};

use application::ports::{Content, Message};
use domain::Timestamp;
use domain::endpoint::{EmailAddress, Endpoint};
use domain::notification::on_one_line;
use domain::this_machine::leads_here;
use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder};
use lettre::{Address, Message as MimeMessage};

use super::forms::forms;
use super::settings::{Sender, SmtpSettings, with_ascii_domain};
use super::smtp_session::MailRequirements;
use super::stage_error::{Cause, Stage, StageError};

/// A mail, ready to be handed over.
pub(super) struct Mail {
    pub(super) recipient: Address,
    pub(super) requirements: MailRequirements,
    pub(super) content: Vec<u8>,
}

/// The most of a customer's name beside the address that an answer goes to, in characters.
const MAX_REPLY_NAME: usize = 60;

/// Writes the mail. Repeats carry the same Message-ID.
pub(super) fn compose(settings: &SmtpSettings, message: &Message) -> Result<Mail, StageError> {
    let SmtpSettings { from, reply_to, shop, .. } = settings;
    let recipient = match &message.endpoint {
        Endpoint::Email(address) => ascii_domain(address)?,
        other => return Err(uncomposable(format!("{} is no mail address", other.masked()))),
    };
    // Named here, since lettre would otherwise read the addresses back from the headers, and not every one can be.
    let envelope =
        Envelope::new(Some(from.address().clone()), vec![recipient.clone()]).map_err(uncomposable)?;
    let subject = undecodable(&message.content.mail_subject(&message.reader));
    let builder = MimeMessage::builder()
        .envelope(envelope)
        .from(from.mailbox().clone())
        .to(Mailbox::new(None, recipient.clone()))
        .subject(subject.as_str())
        .date(date(message.at))
        .message_id(Some(format!("<{}@{}>", message.id, from.address().domain())))
        .raw_header(header("Auto-Submitted", "auto-generated".to_owned()));
    let forms = forms(message, shop, &subject).map_err(uncomposable)?;
    let shop_itself = || reply_to.as_ref().map(|address| address.mailbox().clone());
    let builder = match customer(&message.content, from, &recipient).or_else(shop_itself) {
        Some(address) => builder.reply_to(address),
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

/// Whom an answer goes to: of an order whose customer gave an address that can be written to, the customer. Not where that
/// is our own address or the recipient's, whose answers would come back to themselves.
fn customer(content: &Content, from: &Sender, recipient: &Address) -> Option<Mailbox> {
    let Content::Notification { order, .. } = content else { return None };
    let (local_part, domain) = order.details.customer_email.as_deref()?.rsplit_once('@')?;
    // An address beyond ASCII in a header would ask every relay for SMTPUTF8.
    let address = with_ascii_domain(local_part, domain).filter(|address| address.user().is_ascii())?;
    let is = |other: &Address| AsRef::<str>::as_ref(other).eq_ignore_ascii_case(address.as_ref());
    if is(from.address()) || is(recipient) {
        return None;
    }
    let name = order.details.customer_name.as_ref();
    let name = name.map(|name| undecodable(&on_one_line(name, MAX_REPLY_NAME)));
    Some(Mailbox::new(name, address))
}

/// Words of a header in which nothing passes for an encoded word (RFC 2047, 2): lettre leaves one as it is, and whoever reads
/// it would decode what the customer encoded.
fn undecodable(words: &str) -> String {
    words.replace("=?", "= ?")
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
