//! What an order says under one of the client's own names.

use std::borrow::Cow;

use super::facts::{Fact, as_sent};
use super::parts::shown;
use super::wording::Wording;
use crate::order::{Extra, Order, members_of};
use crate::reader::Reader;

/// An order's attributes and its extra members, to be asked for by name.
pub(crate) struct OwnNames<'a> {
    order: &'a Order,
    wording: Wording<'a>,
    extra: Vec<(String, Cow<'a, str>)>,
}

impl<'a> OwnNames<'a> {
    pub(crate) fn of(order: &'a Order, reader: &'a Reader) -> Self {
        let extra = order.details.extra.as_ref().map(Extra::members).unwrap_or_default();
        Self { order, wording: Wording::of(reader), extra }
    }

    /// How many bytes are looked at for [`extra`](Self::extra): those of the member, and some of each name.
    pub(crate) fn bytes_looked_at(&self, path: &str) -> usize {
        let json =
            |wanted: &str| self.extra.iter().find(|(name, _)| name == wanted).map(|(_, json)| json.len());
        let outer = || json(path.split('.').next().unwrap_or_default());
        4 * self.extra.len() + json(path).or_else(outer).unwrap_or_default()
    }

    /// The lines of an attribute.
    pub(crate) fn attribute(&self, name: &str) -> Vec<Cow<'a, str>> {
        let attribute = self.order.details.attributes.get_key_value(name);
        let fact = attribute.map(|(name, value)| self.wording.attribute(name, value));
        lines(fact)
    }

    /// The lines of the extra member of that name; where there is none, of that in an object of the name before the first
    /// full stop.
    pub(crate) fn extra(&self, path: &str) -> Vec<Cow<'static, str>> {
        lines(member(&self.extra, path).map(|json| as_sent(path, &json)))
    }
}

fn lines(fact: Option<Fact<'_>>) -> Vec<Cow<'_, str>> {
    fact.map(|fact| fact.lines.into_iter().map(shown).collect()).unwrap_or_default()
}

fn member(members: &[(String, Cow<'_, str>)], path: &str) -> Option<String> {
    let named = |wanted: &str| members.iter().find(|(name, _)| name == wanted);
    if let Some((_, json)) = named(path) {
        return Some(json.clone().into_owned());
    }
    let (name, within) = path.split_once('.')?;
    let (_, json) = named(name)?;
    member(&members_of(json), within)
}
