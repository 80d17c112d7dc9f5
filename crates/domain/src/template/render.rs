//! Filling a template in with one order. What that costs has a limit, whatever the order: past it the template is not used.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;

use super::grammar::{Parsed, Section, Step};
use super::names::{List, Name, OfList, Value};
use super::{Part, Template};
use crate::language::times;
use crate::notification::{Fact, FactKind, OwnNames, Parts, lines, mail_subject, on_one_line};
use crate::order::{Order, ShortReference};
use crate::reader::Reader;
use crate::shop::Shop;
use crate::visible::is_invisible;

/// The longest subject, in characters as people see them; what is longer is cut.
const MAX_WRITTEN_SUBJECT: usize = 200;
/// The most bytes of a text or a subject: as much as Gmail shows of a mail, with its HTML and as it is encoded.
pub(super) const MAX_TEXT: usize = 16_000;
/// The most bytes of HTML.
pub(super) const MAX_HTML: usize = 32_000;
/// The most steps that filling a part in takes, a line of what the order says or some of its bytes being one, too: a section of
/// nothing can be gone through for each of thousands of items, and other messages wait meanwhile. Some two milliseconds.
const MAX_STEPS: usize = 30_000;
/// So many bytes that are looked at are a step.
const BYTES_PER_STEP: usize = 64;
/// How far a line of a customer's stands in that is not the first.
const INDENT: &str = "    ";

/// What a template tells.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// The order, as far as its reader may see it.
    pub order: &'a Order,
    /// Who reads it.
    pub reader: &'a Reader,
    /// Whose order it is.
    pub shop: &'a Shop,
    /// The order's page, where there is one.
    pub order_url: Option<&'a str>,
    /// Ends the subscription.
    pub unsubscribe_url: &'a str,
}

/// What a template says of an order: each of its parts, and of the others nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// On one line.
    pub subject: Option<String>,
    /// Of a text message on one line but for what its operator wrote.
    pub text: Option<String>,
    /// Elements and words, without what stands around them.
    pub html: Option<String>,
}

/// Why a template says nothing of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unwritten {
    /// Of which part.
    pub part: Part,
    why: Why,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    TooLong(usize),
    TooManySteps,
    SaysNothing,
}

impl fmt::Display for Unwritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = self.part.name();
        match self.why {
            Why::TooLong(most) => write!(f, "its {part} would have more than {most} bytes"),
            Why::TooManySteps => write!(f, "its {part} takes more than {MAX_STEPS} steps"),
            Why::SaysNothing => write!(f, "its {part} says nothing"),
        }
    }
}

impl Template {
    /// What it says of an order.
    ///
    /// # Errors
    /// A part would be longer than a message can be, takes too many steps, or says nothing.
    pub fn render(&self, told: &Told<'_>) -> Result<Written, Unwritten> {
        let values = Values::of(told);
        let filled = |part, parsed: &Option<Parsed>, form| {
            let parsed = parsed.as_ref();
            parsed
                .map(|parsed| filled(parsed, &values, form).map_err(|why| Unwritten { part, why }))
                .transpose()
        };
        let in_text = if self.on_one_line { Form::Line } else { Form::Text };
        let subject = filled(Part::Subject, &self.subject, Form::Line)?;
        Ok(Written {
            subject: subject.map(|subject| on_one_line(&subject, MAX_WRITTEN_SUBJECT)),
            text: filled(Part::Text, &self.text, in_text)?,
            html: filled(Part::Html, &self.html, Form::Html)?,
        })
    }
}

/// How values stand in a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A customer's lines behind one another.
    Line,
    /// Further lines of theirs indented, so that none passes for a line of the operator's.
    Text,
    /// Escaped, and each with a direction of its own.
    Html,
}

/// What an order says under each name.
struct Values<'a> {
    told: &'a Told<'a>,
    parts: Parts<'a>,
    own_names: OwnNames<'a>,
    text: OnceCell<String>,
}

impl<'a> Values<'a> {
    fn of(told: &'a Told<'a>) -> Self {
        let Told { order, reader, .. } = told;
        let (parts, own_names) = (Parts::of(order, reader), OwnNames::of(order, reader));
        Self { told, parts, own_names, text: OnceCell::new() }
    }

    fn count(&self, list: List) -> usize {
        match list {
            List::Items => self.parts.items.len(),
            List::Facts => self.facts().count(),
            List::OtherFacts => self.parts.other_facts.len(),
        }
    }

    /// What it holds that has a name of ours, in the order in which it is told.
    fn facts(&self) -> impl Iterator<Item = &Fact<'a>> {
        let Parts { quantity, first_facts, facts, .. } = &self.parts;
        quantity.iter().chain(first_facts).chain(facts)
    }

    /// Whether it says anything under that name, in that turn of a list.
    fn has(&self, name: &Name, turn: (List, usize)) -> bool {
        match name {
            Name::List(list) => self.count(*list) > 0,
            Name::Value(Value::HasItems) => self.count(List::Items) > 0,
            // It begins with what it is.
            Name::Value(Value::Text) => true,
            Name::Value(Value::Fact(kind)) => self.facts().find(|fact| fact.kind == *kind).is_some_and(says),
            Name::OfList(OfList::Value) => self.fact_of_list(turn).is_some_and(says),
            name => self.lines(name, turn).iter().any(|line| is_visible(line)),
        }
    }

    /// What looking that name up costs, in steps, beside the lines that it has.
    fn steps(&self, name: &Name) -> usize {
        match name {
            Name::Extra(path) => self.own_names.bytes_looked_at(path) / BYTES_PER_STEP,
            _ => 0,
        }
    }

    fn fact_of_list(&self, (list, place): (List, usize)) -> Option<&Fact<'a>> {
        match list {
            List::OtherFacts => self.parts.other_facts.get(place),
            List::Items => None,
            List::Facts => self.facts().nth(place),
        }
    }

    /// The lines of what it says under that name, in that turn of a list.
    fn lines(&self, name: &Name, turn: (List, usize)) -> Vec<Cow<'_, str>> {
        match name {
            Name::Value(value) => self.value(*value),
            Name::Attribute(name) => self.own_names.attribute(name),
            Name::Extra(path) => self.own_names.extra(path),
            Name::OfList(of_list) => self.of_list(*of_list, turn),
            Name::List(_) => Vec::new(),
        }
    }

    fn value(&self, value: Value) -> Vec<Cow<'_, str>> {
        let Told { order, reader, shop, order_url, unsubscribe_url } = *self.told;
        let one: Option<Cow<'_, str>> = match value {
            Value::Fact(kind) => return self.fact(kind),
            Value::Text => {
                return self.text.get_or_init(|| self.parts.text()).lines().map(Cow::from).collect();
            }
            Value::OrderId => Some(order.id.to_string().into()),
            Value::ShortReference => Some(ShortReference::of(order.id).to_string().into()),
            Value::OrderTime => Some(times::moment_in(reader.language, &reader.time_zone, order.time).into()),
            Value::CustomerName => self.parts.customer.as_deref().map(Cow::from),
            Value::ProductName => self.parts.product.as_deref().map(Cow::from),
            Value::Currency => order.details.currency.as_deref().map(Cow::from),
            Value::OrderUrl => order_url.map(Cow::from),
            Value::UnsubscribeUrl => Some(unsubscribe_url.into()),
            Value::ShopName => shop.name.as_deref().map(Cow::from),
            Value::Subject => Some(mail_subject(order, reader).into()),
            Value::HasItems => None,
        };
        one.into_iter().collect()
    }

    fn fact(&self, kind: FactKind) -> Vec<Cow<'_, str>> {
        let fact = self.facts().find(|fact| fact.kind == kind);
        fact.map(|fact| borrowed(&fact.lines)).unwrap_or_default()
    }

    fn of_list(&self, of_list: OfList, (list, place): (List, usize)) -> Vec<Cow<'_, str>> {
        if list == List::Items {
            let Some(item) = self.parts.items.get(place) else { return Vec::new() };
            let one = match of_list {
                OfList::ProductName => Some(item.product.as_ref().into()),
                OfList::Quantity => item.count().map(Cow::from),
                OfList::Sku => item.sku.as_deref().map(Cow::from),
                OfList::UnitPrice => item.price.as_deref().map(Cow::from),
                OfList::Extra => item.also.as_deref().map(Cow::from),
                OfList::Label | OfList::Value => None,
            };
            return one.into_iter().collect();
        }
        let lines = self.fact_of_list((list, place)).map(|fact| match of_list {
            OfList::Label => vec![fact.label.as_ref().into()],
            _ => borrowed(&fact.lines),
        });
        lines.unwrap_or_default()
    }
}

/// Whether a fact says anything.
fn says(fact: &Fact<'_>) -> bool {
    fact.lines.iter().any(|line| is_visible(line))
}

fn is_visible(line: &str) -> bool {
    !line.chars().all(is_invisible)
}

fn borrowed<'a>(lines: &'a [Cow<'_, str>]) -> Vec<Cow<'a, str>> {
    lines.iter().map(|line| line.as_ref().into()).collect()
}

/// A part as it is filled in, and the room that it has left.
struct Filling {
    words: String,
    left: usize,
    most: usize,
}

impl Filling {
    fn push(&mut self, words: &str) -> Result<(), Why> {
        self.left = self.left.checked_sub(words.len()).ok_or(Why::TooLong(self.most))?;
        self.words.push_str(words);
        Ok(())
    }

    /// Words that are markup nowhere.
    fn push_escaped(&mut self, words: &str) -> Result<(), Why> {
        let mut rest = words;
        while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
            self.push(&rest[..at])?;
            let escaped = match rest.as_bytes()[at] {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                _ => "&#39;",
            };
            self.push(escaped)?;
            rest = &rest[at + 1..];
        }
        self.push(rest)
    }

    /// Pushes what an order says. `indent` stands before each further line.
    fn push_lines(&mut self, said: &[Cow<'_, str>], indent: &str, form: Form) -> Result<(), Why> {
        let said = said.iter().flat_map(|line| lines(line));
        let said = said.filter(|line| form != Form::Line || !line.trim().is_empty());
        for (place, line) in said.enumerate() {
            let indent = if place == 0 || line.is_empty() { "" } else { indent };
            match form {
                Form::Line => self.push(if place == 0 { "" } else { " / " })?,
                Form::Text => {
                    self.push(if place == 0 { "" } else { "\n" })?;
                    self.push(indent)?;
                }
                Form::Html => {
                    self.push(if place == 0 { "" } else { "<br>" })?;
                    if line.is_empty() {
                        continue;
                    }
                    let words = line.trim_start_matches(' ');
                    self.push(&"&nbsp;".repeat(indent.len() + line.len() - words.len()))?;
                    self.push("<bdi>")?;
                    self.push_escaped(words)?;
                    self.push("</bdi>")?;
                    continue;
                }
            }
            self.push(&line)?;
        }
        Ok(())
    }
}

/// Follows the steps of a part, from the first to the last.
fn filled(parsed: &Parsed, values: &Values<'_>, form: Form) -> Result<String, Why> {
    let most = if form == Form::Html { MAX_HTML } else { MAX_TEXT };
    let mut filling = Filling { words: String::new(), left: most, most };
    let (mut at, mut turn) = (0, (List::Items, 0));
    let mut taken = 0;
    while taken <= MAX_STEPS {
        taken += 1;
        let Some(step) = parsed.steps.get(at) else {
            let is_blank = filling.words.chars().all(is_invisible);
            return if is_blank { Err(Why::SaysNothing) } else { Ok(filling.words) };
        };
        at += 1;
        match step {
            Step::Words(words) => filling.push(words)?,
            Step::Value(name) => {
                // In our own text what a customer wrote is indented already.
                let indent = if *name == Name::Value(Value::Text) { "" } else { INDENT };
                let lines = values.lines(name, turn);
                let bytes: usize = lines.iter().map(|line| line.len()).sum();
                taken += values.steps(name) + lines.len() + bytes / BYTES_PER_STEP;
                filling.push_lines(&lines, indent, form)?;
            }
            Step::Link(name) => filling.push_escaped(&values.lines(name, turn).concat())?,
            Step::Begin { section, end } => {
                if let Section::With(name) | Section::Without(name) = section {
                    taken += values.steps(name);
                }
                let is_there = match section {
                    Section::Each(list) => {
                        turn = (*list, 0);
                        values.count(*list) > 0
                    }
                    Section::With(name) => values.has(name, turn),
                    Section::Without(name) => !values.has(name, turn),
                };
                at = if is_there { at } else { end + 1 };
            }
            Step::End { begin } => {
                if let Some(Step::Begin { section: Section::Each(list), .. }) = parsed.steps.get(*begin) {
                    turn.1 += 1;
                    at = if turn.1 < values.count(*list) { begin + 1 } else { at };
                }
            }
        }
    }
    Err(Why::TooManySteps)
}
