//! Finding an order by what people call it: its id or how that begins, its short reference, the shop's own number.

use std::time::Duration;

use domain::order::{Order, OrderId, ShortReference};
use uuid::Uuid;

use crate::ports::{OrderQuery, OrderStore, Page, PageRequest};
use crate::{Error, ErrorKind};

/// The most orders that one page looks at for one of a shop's number. There is no index of these numbers, since one would
/// cost each order that is taken: the newest orders are looked at, and the next page goes on from there.
const MAX_ORDERS_SEARCHED: usize = 20_000;

/// The fewest digits of an id that are taken for its beginning: those of one minute have 8 in common.
const MIN_BEGINNING: usize = 8;

/// The digits of an id, of 4 bits each.
const ID_DIGITS: usize = 32;
/// The bits of an id behind those of its time.
const BITS_BEHIND_TIME: usize = 80;

const MILLISECOND: Duration = Duration::from_millis(1);

/// One thing that a text may be.
enum Meaning<'a> {
    /// Orders with ids from the first to the last, these two included.
    Ids { first: OrderId, last: OrderId },
    /// Orders of which the shop says it is their number.
    Reference(&'a str),
}

impl Meaning<'_> {
    /// The ids that begin as `first` does, but for its last bits.
    fn beginning(first: u128, unknown_bits: usize) -> Self {
        let last = first | ((1 << unknown_bits) - 1);
        Self::Ids { first: OrderId(Uuid::from_u128(first)), last: OrderId(Uuid::from_u128(last)) }
    }

    fn is(&self, order: &Order) -> bool {
        match self {
            Self::Ids { first, last } => (*first..=*last).contains(&order.id),
            Self::Reference(text) => {
                order.details.reference.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(text))
            }
        }
    }

    /// The list that they are in, among others.
    fn list(&self) -> OrderQuery {
        match self {
            Self::Ids { first, last } => OrderQuery {
                from: Some(first.time()),
                to: last.time().checked_add(MILLISECOND).ok(),
                ..OrderQuery::default()
            },
            Self::Reference(_) => OrderQuery::default(),
        }
    }
}

/// Orders that are called `text`. That of this id is the only one; else those whose ids begin so, then those of this short
/// reference, then those of which it is the shop's number in whatever letters, each the newest first.
///
/// A page may hold fewer than were asked for though others follow: what was not looked at yet is looked at for the next one.
///
/// # Errors
/// `invalid_cursor`; `unreadable_row` where an order of this id cannot be read.
pub async fn find_in(store: &dyn OrderStore, text: &str, page: PageRequest) -> Result<Page<Order>, Error> {
    let text = text.trim();
    if let (Ok(id), None) = (text.parse(), &page.cursor)
        && let Some(order) = store.order(id).await?
    {
        return Ok(Page { items: vec![order], unreadable: Vec::new(), next: None });
    }
    let meanings = meanings(text);
    let (mut place, mut cursor) = page.cursor.as_deref().map_or(Ok((0, None)), resumed)?;
    let mut found = Page { items: Vec::new(), unreadable: Vec::new(), next: None };
    let (mut searched, mut limit) = (0, PageRequest::MAX);
    while let Some(meaning) = meanings.get(place) {
        let room = page.limit.saturating_sub(found.items.len() + found.unreadable.len());
        if room == 0 || searched >= MAX_ORDERS_SEARCHED {
            found.next = Some(format!("{place}.{}", cursor.unwrap_or_default()));
            break;
        }
        let listed = PageRequest { limit, cursor: cursor.clone() };
        let mut listed = store.orders(OrderQuery { page: listed, ..meaning.list() }).await?;
        let looked_at = listed.items.len() + listed.unreadable.len();
        let earlier = &meanings[..place];
        listed.items.retain(|order| meaning.is(order) && !earlier.iter().any(|other| other.is(order)));
        if listed.items.len() + listed.unreadable.len() > room {
            // Read again, so that the next page goes on behind the last one of this.
            limit = room;
            continue;
        }
        found.items.append(&mut listed.items);
        found.unreadable.append(&mut listed.unreadable);
        searched += looked_at.max(1);
        (cursor, limit) = (listed.next, PageRequest::MAX);
        place += usize::from(cursor.is_none());
    }
    Ok(found)
}

/// All that a text may be: several at once, since a number such as `20261130` is also how an id may begin.
fn meanings(text: &str) -> Vec<Meaning<'_>> {
    let moments = text.parse().ok().into_iter().flat_map(ShortReference::moments);
    let of_reference =
        moments.map(|at| Meaning::beginning(OrderId::least_at(at).0.as_u128(), BITS_BEHIND_TIME));
    // The latest first, as all lists have it.
    let of_reference: Vec<_> = of_reference.rev().collect();
    beginning(text).into_iter().chain(of_reference).chain([Meaning::Reference(text)]).collect()
}

/// The ids that begin so, if the text is how an id begins.
fn beginning(text: &str) -> Option<Meaning<'_>> {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    let is_beginning = (MIN_BEGINNING..ID_DIGITS).contains(&digits.len())
        && digits.chars().all(|digit| digit.is_ascii_hexdigit());
    let number = u128::from_str_radix(&digits, 16).ok().filter(|_| is_beginning)?;
    let unknown_bits = 4 * (ID_DIGITS - digits.len());
    Some(Meaning::beginning(number << unknown_bits, unknown_bits))
}

/// Where a page goes on: at which of the meanings, and where in its list.
fn resumed(cursor: &str) -> Result<(usize, Option<String>), Error> {
    let wrong = || Error::new(ErrorKind::Invalid, "invalid_cursor", "cursor is not one of this list");
    let (place, within) = cursor.split_once('.').ok_or_else(wrong)?;
    let place = place.parse().map_err(|_| wrong())?;
    Ok((place, Some(within.to_owned()).filter(|within| !within.is_empty())))
}
