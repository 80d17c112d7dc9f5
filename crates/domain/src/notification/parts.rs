//! What an order says, part by part: for forms that show each in its own place, or have no room for all of them.

use std::borrow::Cow;
use std::fmt;

use super::facts::{Fact, first_facts, further_facts, money, other_facts, quantity};
use crate::id::OrderId;
use crate::order::{Item, Order};
use crate::visible::{turns_direction, with_overrides_shown};

/// All that an order says. What would turn the direction of its words is written out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts<'a> {
    /// Its id.
    pub id: OrderId,
    /// Who placed it.
    pub customer: Cow<'a, str>,
    /// What the recipe calls the product.
    pub product: Cow<'a, str>,
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
}

/// How far a line stands in that is not ours.
const INDENT: &str = "    ";

impl<'a> Parts<'a> {
    /// The parts of `order`, all of them and whole.
    #[must_use]
    pub fn of(order: &'a Order) -> Self {
        let details = &order.details;
        let product = match &details.products.product_name {
            Some(name) => Cow::from(name),
            None => details.products.to_string().into(),
        };
        Self {
            id: order.id,
            customer: shown(&details.customer_name),
            product: shown(product),
            quantity: quantity(order),
            items: details.products.items.iter().map(|item| ItemLine::of(item, order)).collect(),
            more_items: 0,
            first_facts: facts_shown(first_facts(order)),
            facts: facts_shown(further_facts(order)),
            other_facts: facts_shown(other_facts(order)),
            more_facts: 0,
        }
    }

    /// The recipe's four lines, character for character: of an order of the two names alone, this is all.
    #[must_use]
    pub fn headline(&self) -> String {
        let Self { id, customer, product, .. } = self;
        format!("📦 New Order Received!\nOrder ID: {id}\nCustomer: {customer}\nProduct: {product}")
    }

    /// All of it as text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = self.headline();
        for (place, item) in self.items.iter().enumerate() {
            text.push_str(if place == 0 { "\n\n- " } else { "\n- " });
            text.push_str(&item.to_string());
        }
        push_more(&mut text, self.more_items);
        let facts = self.quantity.iter().chain(&self.first_facts).chain(&self.facts);
        let has_facts = facts.clone().next().is_some() || !self.other_facts.is_empty();
        text.push_str(if has_facts { "\n" } else { "" });
        for fact in facts {
            push_labelled(&mut text, fact, "");
        }
        text.push_str(if self.other_facts.is_empty() { "" } else { "\nAlso sent:" });
        for fact in &self.other_facts {
            push_labelled(&mut text, fact, INDENT);
        }
        push_more(&mut text, self.more_facts);
        text
    }
}

impl<'a> ItemLine<'a> {
    /// What one of an order's items says.
    #[must_use]
    pub fn of(item: &'a Item, order: &Order) -> Self {
        Self {
            quantity: item.quantity,
            product: shown(&item.product_name),
            sku: item.sku.as_ref().map(shown),
            price: item.unit_price.map(|price| money(price, order)),
        }
    }
}

impl fmt::Display for ItemLine<'_> {
    /// `2 × Mouse (M-1), 9.95 EUR each`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(quantity) = self.quantity {
            write!(f, "{quantity} × ")?;
        }
        f.write_str(&self.product)?;
        if let Some(sku) = &self.sku {
            write!(f, " ({sku})")?;
        }
        let Some(price) = &self.price else { return Ok(()) };
        write!(
            f,
            ", {price}{}",
            if self.quantity.is_some_and(|quantity| quantity > 1) { " each" } else { "" }
        )
    }
}

/// Words as they are told.
fn shown<'a>(words: impl Into<Cow<'a, str>>) -> Cow<'a, str> {
    let words = words.into();
    if words.contains(turns_direction) { with_overrides_shown(&words).into() } else { words }
}

fn facts_shown(facts: Vec<Fact<'_>>) -> Vec<Fact<'_>> {
    let shown =
        |Fact { label, lines }| Fact { label: shown(label), lines: lines.into_iter().map(shown).collect() };
    facts.into_iter().map(shown).collect()
}

/// That so many are left out.
fn push_more(text: &mut String, left_out: usize) {
    if left_out > 0 {
        text.extend(["\n… and ", &left_out.to_string(), " more"]);
    }
}

/// A fact on a line, or below its label on several.
fn push_labelled(text: &mut String, Fact { label, lines }: &Fact<'_>, indent: &str) {
    text.extend(["\n", indent, label, ":"]);
    match lines.as_slice() {
        [line] => text.extend([" ", line]),
        lines => text.extend(lines.iter().flat_map(|line| ["\n", indent, INDENT, line])),
    }
}
