//! What an order says, part by part: for forms that show each in its own place, or have no room for all of them.

use std::borrow::Cow;
use std::iter;

use super::facts::Fact;
use super::wording::Wording;
use super::words::Words;
use crate::id::OrderId;
use crate::language::{Language, numbers};
use crate::order::{Item, Order, Products};
use crate::reader::Reader;
use crate::visible::{turns_direction, with_overrides_shown};

/// All that an order says. What would turn the direction of its words is written out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts<'a> {
    /// What they are told in.
    pub language: Language,
    /// Its id.
    pub id: OrderId,
    /// Who placed it, where that is shown.
    pub customer: Option<Cow<'a, str>>,
    /// What the recipe calls the product, where any is shown.
    pub product: Option<Cow<'a, str>>,
    /// How many of it.
    pub quantity: Option<Fact<'a>>,
    /// Its items.
    pub items: Vec<ItemLine<'a>>,
    /// How many items more there are: none, unless a form leaves them out.
    pub more_items: usize,
    /// How much it costs, and by when it is wanted.
    pub first_facts: Vec<Fact<'a>>,
    /// What else it holds that has a name of our own.
    pub facts: Vec<Fact<'a>>,
    /// What it holds under the client's own names.
    pub other_facts: Vec<Fact<'a>>,
    /// How many more of these there are.
    pub more_facts: usize,
}

/// One item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemLine<'a> {
    /// How many, if the client said.
    pub quantity: Option<u32>,
    /// The product.
    pub product: Cow<'a, str>,
    /// The shop's own code for it.
    pub sku: Option<Cow<'a, str>>,
    /// What one costs, with its currency.
    pub price: Option<String>,
    /// What else came with it, where that is short: the rest is among the other facts.
    pub also: Option<String>,
    language: Language,
}

/// How far a line stands in that is not ours.
const INDENT: &str = "    ";

impl<'a> Parts<'a> {
    /// The parts of `order`, all of them and whole.
    #[must_use]
    pub fn of(order: &'a Order, reader: &Reader) -> Self {
        let wording = Wording::of(reader);
        let details = &order.details;
        let product = match &details.products.product_name {
            None if details.products.items.is_empty() => None,
            None => Some(products_on_one_line(&details.products, reader.language).into()),
            Some(name) => Some(Cow::from(name)),
        };
        Self {
            language: reader.language,
            id: order.id,
            customer: details.customer_name.as_ref().map(shown),
            product: product.map(shown),
            quantity: wording.quantity(order),
            items: details.products.items.iter().map(|item| ItemLine::of(item, order, reader)).collect(),
            more_items: 0,
            first_facts: facts_shown(wording.first_facts(order)),
            facts: facts_shown(wording.further_facts(order)),
            other_facts: facts_shown(wording.other_facts(order)),
            more_facts: 0,
        }
    }

    /// The recipe's four lines, character for character: of an order of the two names alone, this is all. What is not shown
    /// has no line.
    #[must_use]
    pub fn headline(&self) -> String {
        let Words { received, order_id, customer, product, colon, .. } = Words::of(self.language);
        let said = [(customer, &self.customer), (product, &self.product)];
        let said = said.into_iter().filter_map(|(label, words)| Some((label, words.as_deref()?)));
        let room: usize = said.clone().map(|(label, words)| label.len() + words.len() + 8).sum();
        let mut headline = String::with_capacity(received.len() + order_id.len() + 48 + room);
        headline.push_str(received);
        for (label, words) in iter::once((order_id, &*self.id.to_string())).chain(said) {
            for piece in ["\n", label, colon, " ", words] {
                headline.push_str(piece);
            }
        }
        headline
    }

    /// Whether any item has a quantity: without one, a table has no such column.
    #[must_use]
    pub fn have_quantities(&self) -> bool {
        self.items.iter().any(|item| item.quantity.is_some())
    }

    /// Whether any item has a price.
    #[must_use]
    pub fn have_prices(&self) -> bool {
        self.items.iter().any(|item| item.price.is_some())
    }

    /// All of it as text.
    #[must_use]
    pub fn text(&self) -> String {
        let words = Words::of(self.language);
        let mut text = self.headline();
        for (place, item) in self.items.iter().enumerate() {
            text.push_str(if place == 0 { "\n\n- " } else { "\n- " });
            text.push_str(&item.told());
        }
        self.push_more(&mut text, self.more_items);
        let facts = self.quantity.iter().chain(&self.first_facts).chain(&self.facts);
        let has_facts = facts.clone().next().is_some() || !self.other_facts.is_empty();
        text.push_str(if has_facts { "\n" } else { "" });
        for fact in facts {
            push_labelled(&mut text, fact, words.colon, "");
        }
        if !self.other_facts.is_empty() {
            text.extend(["\n", words.also_sent, words.colon]);
        }
        for fact in &self.other_facts {
            push_labelled(&mut text, fact, ":", INDENT);
        }
        self.push_more(&mut text, self.more_facts);
        text
    }

    /// That so many are left out.
    fn push_more(&self, text: &mut String, left_out: usize) {
        if left_out > 0 {
            text.extend(["\n", &Words::of(self.language).more.of(self.language, left_out)]);
        }
    }
}

impl<'a> ItemLine<'a> {
    /// What one of an order's items says.
    #[must_use]
    pub fn of(item: &'a Item, order: &Order, reader: &Reader) -> Self {
        Self {
            language: reader.language,
            quantity: item.quantity,
            product: shown(&item.product_name),
            sku: item.sku.as_ref().map(shown),
            price: item.unit_price.map(|price| Wording::of(reader).money(price, order)),
            also: Wording::of(reader).beside_item(item).map(|also| shown(also).into_owned()),
        }
    }
}

impl ItemLine<'_> {
    /// How many, as the reader's language writes that.
    #[must_use]
    pub fn count(&self) -> Option<String> {
        self.quantity.map(|quantity| numbers::whole(self.language, quantity.into()))
    }

    /// On one line: `2 × Mouse (M-1), €9.95 each (color: red)`.
    #[must_use]
    pub fn told(&self) -> String {
        let mut line = String::new();
        push_counted(&mut line, self.quantity, &self.product, self.language);
        if let Some(sku) = &self.sku {
            line.extend([" (", sku, ")"]);
        }
        if let Some(price) = &self.price {
            let several = self.quantity.is_some_and(|quantity| quantity > 1);
            let (before, after) = if several { Words::of(self.language).each } else { ("", "") };
            line.extend([", ", before, price, after]);
        }
        if let Some(also) = &self.also {
            line.extend([" (", also, ")"]);
        }
        line
    }
}

/// Each product on a line: `2 × Mouse (M-1), €9.95 each`.
#[must_use]
pub fn product_lines(order: &Order, reader: &Reader) -> Vec<String> {
    let Products { product_name, quantity, items } = &order.details.products;
    let named = product_name.iter().map(|name| {
        let mut line = String::new();
        push_counted(&mut line, *quantity, &shown(name), reader.language);
        line
    });
    named.chain(items.iter().map(|item| ItemLine::of(item, order, reader).told())).collect()
}

/// All that was ordered: `Wireless Mouse`, or `2 × Mouse, 1 × Pad`.
pub(super) fn products_on_one_line(products: &Products, language: Language) -> String {
    let mut line = String::new();
    for (place, (name, quantity)) in products.iter().enumerate() {
        line.push_str(if place > 0 { ", " } else { "" });
        push_counted(&mut line, quantity, name, language);
    }
    line
}

/// A product, and how many of it if the client said.
fn push_counted(line: &mut String, quantity: Option<u32>, product: &str, language: Language) {
    if let Some(quantity) = quantity {
        line.extend([&numbers::whole(language, quantity.into()), " × "]);
    }
    line.push_str(product);
}

/// Words as they are told.
pub(super) fn shown<'a>(words: impl Into<Cow<'a, str>>) -> Cow<'a, str> {
    let words = words.into();
    if words.contains(turns_direction) { with_overrides_shown(&words).into() } else { words }
}

fn facts_shown(facts: Vec<Fact<'_>>) -> Vec<Fact<'_>> {
    let shown = |Fact { kind, label, lines }| Fact {
        kind,
        label: shown(label),
        lines: lines.into_iter().map(shown).collect(),
    };
    facts.into_iter().map(shown).collect()
}

/// A fact on a line, or below its label on several.
fn push_labelled(text: &mut String, Fact { label, lines, .. }: &Fact<'_>, colon: &str, indent: &str) {
    text.extend(["\n", indent, label, colon]);
    match lines.as_slice() {
        [line] => text.extend([" ", line]),
        lines => {
            for line in lines {
                // Of nothing, an indentation would be most of what a client can have us send.
                let before = if line.is_empty() { ["\n", "", ""] } else { ["\n", indent, INDENT] };
                text.extend(before.into_iter().chain([line.as_ref()]));
            }
        }
    }
}
