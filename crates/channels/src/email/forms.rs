//! What a mail says, as text and as HTML.

use application::ports::{Content, Message};
use askama::Template;
use domain::language::{Language, numbers};
use domain::notification::{self, FactKind, Parts, on_one_line};
use domain::order::{Order, ShortReference};
use domain::reader::Reader;
use domain::shop::{Logo, Shop};
use lettre::message::header::{ContentTransferEncoding, ContentType};
use lettre::message::{Attachment, Body, MultiPart, SinglePart};

use super::fitting::fitted;
use super::words::Words;

/// The most products that the heading of an order names.
const MAX_HEADING_PRODUCTS: usize = 3;
/// The most of each one's name there, in characters.
const MAX_HEADING_NAME: usize = 60;
/// A price, or a client's own label, that stays on one line, in bytes, however small the screen.
const SHORT: usize = 16;

/// Names the logo within a mail (RFC 2392).
const LOGO_ID: &str = "logo@orderbell";

/// The HTML of what is no order: the text's lines, and the link as a button.
#[derive(Template)]
#[template(path = "mail.html")]
struct Lines<'a> {
    shop: &'a Shop,
    language: Language,
    said: &'static Words,
    subject: &'a str,
    text: &'a str,
    /// The link that the mail is for: it confirms.
    button: Option<&'a str>,
}

/// The HTML of an order as a template says it.
#[derive(Template)]
#[template(path = "mail_written.html")]
struct Written<'a> {
    shop: &'a Shop,
    language: Language,
    words: &'static notification::Words,
    said: &'static Words,
    subject: &'a str,
    /// The elements that the operator wrote, in which the order's words are escaped.
    html: Option<&'a str>,
    /// Where there are none, its lines are.
    text: &'a str,
    /// The page of the order.
    order_url: Option<&'a str>,
    unsubscribe_url: &'a str,
}

/// The HTML of an order.
#[derive(Template)]
#[template(path = "mail_order.html")]
struct OrderTable<'a> {
    shop: &'a Shop,
    language: Language,
    words: &'static notification::Words,
    said: &'static Words,
    subject: &'a str,
    /// What was ordered, in short: the first products, each with its quantity.
    heading: Vec<(String, Option<String>)>,
    /// How many more there are, in words, if there are any.
    more_products: Option<String>,
    parts: &'a Parts<'a>,
    /// What people call the order by.
    reference: ShortReference,
    /// Whether this is all of it.
    is_whole: bool,
    /// What shows all of it, where this is not all and there is no page.
    rest: Option<&'a str>,
    /// The page of the order.
    order_url: Option<&'a str>,
    unsubscribe_url: &'a str,
}

/// The two forms of a message. Neither loads anything, nor holds a link that a customer wrote.
///
/// # Errors
/// The template cannot be filled in.
pub(super) fn forms(message: &Message, shop: &Shop, subject: &str) -> Result<MultiPart, askama::Error> {
    let Message { content, reader, .. } = message;
    let (language, said) = (reader.language, Words::of(reader.language));
    let (text, html) = match content {
        Content::Notification { order, order_url, unsubscribe_url, written } => {
            let links = (order_url.as_deref(), unsubscribe_url.as_str());
            let built_in = of_order(order, (reader, shop), links, subject)?;
            match written {
                Ok(written) => as_written(written, built_in, (reader, shop), links, subject)?,
                Err(_) => built_in,
            }
        }
        Content::Confirmation { confirm_url, .. } => {
            let text = content.text(reader);
            let button = Some(confirm_url.as_str());
            let html = Lines { shop, language, said, subject, text: &text, button }.render()?;
            (format!("{text}\n\n{confirm_url}\n{}", signature(shop)), html)
        }
        Content::Notice { .. } | Content::Test => {
            let text = content.text(reader);
            let html = Lines { shop, language, said, subject, text: &text, button: None }.render()?;
            (format!("{text}\n{}", signature(shop)), html)
        }
    };
    let (text, html) = (part(ContentType::TEXT_PLAIN, text), part(ContentType::TEXT_HTML, html));
    let forms = MultiPart::alternative().singlepart(text);
    Ok(match &shop.logo {
        None => forms.singlepart(html),
        Some(logo) => forms.multipart(MultiPart::related().singlepart(html).singlepart(inline(logo)?)),
    })
}

/// An order's forms. Its text stands unchanged above the signature line.
fn of_order(
    order: &Order,
    (reader, shop): (&Reader, &Shop),
    (order_url, unsubscribe_url): (Option<&str>, &str),
    subject: &str,
) -> Result<(String, String), askama::Error> {
    let (language, said) = (reader.language, Words::of(reader.language));
    let (parts, is_whole) = fitted(Parts::of(order, reader));
    let command = format!("orderbell order show {}", order.id);
    let rest = (!is_whole && order_url.is_none()).then_some(command.as_str());
    let products = order.details.products.iter().take(MAX_HEADING_PRODUCTS);
    let whole = |number: u32| numbers::whole(language, number.into());
    let heading = products.map(|(name, quantity)| (on_one_line(name, MAX_HEADING_NAME), quantity.map(whole)));
    let more_products = order.details.products.iter().skip(MAX_HEADING_PRODUCTS).count();
    let html = OrderTable {
        shop,
        language,
        words: notification::Words::of(language),
        said,
        subject,
        heading: heading.collect(),
        more_products: (more_products > 0).then(|| said.more_products.of(language, more_products)),
        parts: &parts,
        reference: ShortReference::of(order.id),
        is_whole,
        rest,
        order_url,
        unsubscribe_url,
    };
    let html = html.render()?;
    let line = notification::order_line(order.id, language, order_url);
    let line = match (is_whole, rest) {
        (true, _) => line,
        (false, None) => format!("{}\n{line}", said.longer),
        (false, Some(command)) => format!("{}\n{command}\n\n{line}", said.longer),
    };
    Ok((format!("{}\n\n{line}\n{}", parts.text(), ending(reader, shop, unsubscribe_url)), html))
}

/// An order's forms with what its template says in their place. Without HTML of its own, its text is shown there.
fn as_written(
    written: &domain::template::Written,
    (text, html): (String, String),
    (reader, shop): (&Reader, &Shop),
    (order_url, unsubscribe_url): (Option<&str>, &str),
    subject: &str,
) -> Result<(String, String), askama::Error> {
    if written.text.is_none() && written.html.is_none() {
        return Ok((text, html));
    }
    let language = reader.language;
    let html = Written {
        shop,
        language,
        words: notification::Words::of(language),
        said: Words::of(language),
        subject,
        html: written.html.as_deref(),
        text: written.text.as_deref().unwrap_or_default(),
        order_url,
        unsubscribe_url,
    };
    let below = || ending(reader, shop, unsubscribe_url);
    let text = written.text.as_ref().map_or(text, |text| format!("{}\n{}", text.trim_end(), below()));
    Ok((text, html.render()?))
}

/// The end of an order's text: how to get no more of them, and what the shop says of itself.
fn ending(reader: &Reader, shop: &Shop, unsubscribe_url: &str) -> String {
    let said = Words::of(reader.language).unsubscribe;
    let colon = notification::Words::of(reader.language).colon;
    let imprint = below(shop).map(|lines| format!("{lines}\n")).unwrap_or_default();
    format!("\n-- \n{said}{colon} {unsubscribe_url}\n{imprint}")
}

/// The signature of a mail that has nothing else below its text.
fn signature(shop: &Shop) -> String {
    below(shop).map(|lines| format!("\n-- \n{lines}\n")).unwrap_or_default()
}

/// What the shop says of itself at the end of a mail.
fn below(shop: &Shop) -> Option<&str> {
    shop.imprint.as_deref().or(shop.name.as_deref())
}

/// A part of a mail, in base64 where the encoding that seems best takes more: an `=` is three characters in
/// quoted-printable, which lettre does not count.
fn part(content_type: ContentType, words: String) -> SinglePart {
    let most = base64_length(words.len() + words.matches('\n').count());
    let body = Body::new(words.clone());
    let body = if body.len() > most {
        Body::new_with_encoding(words, ContentTransferEncoding::Base64).unwrap_or(body)
    } else {
        body
    };
    SinglePart::builder().header(content_type).body(body)
}

/// The logo, as the HTML names it. It takes nothing of what Gmail shows of a mail, which is its HTML's alone.
fn inline(logo: &Logo) -> Result<SinglePart, askama::Error> {
    let content_type = ContentType::parse(logo.content_type()).map_err(askama::Error::custom)?;
    Ok(Attachment::new_inline(LOGO_ID.to_owned()).body(logo.bytes().to_vec(), content_type))
}

/// So many bytes in base64, in lines of 76 characters.
fn base64_length(bytes: usize) -> usize {
    let characters = bytes.div_ceil(3) * 4;
    characters + 2 * characters.div_ceil(76)
}
