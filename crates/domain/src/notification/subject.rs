//! The subject of a mail about an order: what it is, and for whom.

use unicode_segmentation::UnicodeSegmentation;

use super::parts::products_on_one_line;
use super::words::Words;
use crate::order::Order;
use crate::reader::Reader;
use crate::visible::with_overrides_shown;

/// The longest subject of a mail, in characters as people see them: what a list of mails shows of one is less.
pub const MAX_SUBJECT: usize = 120;
/// The most of it that the customer's name takes.
const MAX_CUSTOMER: usize = 40;
/// The most bytes of a character as people see it, on average: a letter can have any number of marks.
const BYTES_PER_CHARACTER: usize = 4;

/// The recipe's subject, in the reader's language, and then what was ordered and for whom: `New Order Notification: 2 × Pizza, Cola for Jo`. On one
/// line, and of at most [`MAX_SUBJECT`] characters: what is longer is cut, and an ellipsis stands there.
#[must_use]
pub fn mail_subject(order: &Order, reader: &Reader) -> String {
    let Words { subject, colon, for_whom, .. } = Words::of(reader.language);
    let customer = order.details.customer_name.as_ref();
    let customer = customer.map(|name| format!(" {for_whom} {}", on_one_line(name, MAX_CUSTOMER)));
    let customer = customer.unwrap_or_default();
    let products = products_on_one_line(&order.details.products, reader.language);
    if products.is_empty() {
        return format!("{subject}{customer}");
    }
    let frame = format!("{subject}{colon} {customer}").graphemes(true).count();
    let products = on_one_line(&products, MAX_SUBJECT.saturating_sub(frame));
    format!("{subject}{colon} {products}{customer}")
}

/// `text` with a space for white space and controls of any kind, with what would turn its direction written out, and cut to
/// `most` characters as people see them (of four bytes each on average), the last of them an ellipsis where it is longer.
#[must_use]
pub fn on_one_line(text: &str, most: usize) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let line = with_overrides_shown(&words.collect::<Vec<_>>().join(" "));
    if line.len() <= most * BYTES_PER_CHARACTER && line.graphemes(true).nth(most).is_none() {
        return line;
    }
    let room = most.saturating_sub(1);
    let ends = line.grapheme_indices(true).map(|(start, character)| start + character.len()).take(room);
    let end = ends.take_while(|end| *end <= room * BYTES_PER_CHARACTER).last().unwrap_or_default();
    format!("{}…", line[..end].trim_end())
}
