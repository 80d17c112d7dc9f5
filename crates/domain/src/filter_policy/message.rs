//! What a policy sees of a message.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::value::RawValue;

use super::FilterPolicyScope;
use super::condition::Value;
use crate::notification;
use crate::order::{AttributeValue, FIELD_NAMES, Order, Products};
use crate::reader::Reader;

/// The deepest body that is looked into, as deep as JSON readers commonly go; ours has four levels.
const MAX_LEVELS: usize = 128;

/// A message, under one scope.
#[derive(Debug)]
pub(super) enum Message<'a> {
    /// The attributes of an order's message, read as they are asked for.
    Order(&'a Order),
    /// Attributes by name.
    Attributes(Members),
    /// The members of a body by the way that leads to them: `data.currency`. A dot in a member's name counts as a way,
    /// as it does in SNS.
    Body(Members),
    /// A body in which an array has one element.
    Element {
        /// All but the array.
        rest: &'a Members,
        /// What the element holds.
        element: &'a Members,
        /// Where the array stands.
        of: &'static str,
    },
}

/// What a JSON object holds, by the way that leads there.
#[derive(Debug, Default)]
pub(super) struct Members {
    /// The values.
    facts: BTreeMap<String, Vec<Fact>>,
    /// The objects that are elements of an array, each with the elements that it is itself within.
    elements: BTreeMap<String, Vec<Elements>>,
}

/// One value of a message.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fact {
    pub(super) value: Value,
    pub(super) within: Elements,
}

/// Which elements of which arrays of objects something is within.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Elements(BTreeMap<usize, usize>);

impl Elements {
    /// Whether it is all of these elements, or something in them.
    fn is_within(&self, other: &Self) -> bool {
        other.0.iter().all(|(array, place)| self.0.get(array) == Some(place))
    }

    /// The place in the outermost array: that is met, and numbered, first.
    fn outermost(&self) -> Option<usize> {
        self.0.first_key_value().map(|(_, place)| *place)
    }

    /// Both together; `None` if they are within different elements of one array.
    pub(super) fn with(&self, other: &Self) -> Option<Self> {
        let apart = |(array, place)| self.0.get(array).is_some_and(|here| here != place);
        if other.0.iter().any(apart) {
            return None;
        }
        Some(Self(self.0.iter().chain(&other.0).map(|(array, place)| (*array, *place)).collect()))
    }
}

impl<'a> Message<'a> {
    /// What an order's message is under that scope.
    pub(super) fn of_order(scope: FilterPolicyScope, order: &'a Order) -> Self {
        match scope {
            FilterPolicyScope::MessageAttributes => Self::Order(order),
            FilterPolicyScope::MessageBody => {
                // It cannot fail: an order's content is strings, numbers and maps with text keys.
                let body = serde_json::to_string(&notification::event(
                    order,
                    notification::text(order, &Reader::default()),
                ))
                .unwrap_or_default();
                Self::Body(members(&body).unwrap_or_default())
            }
        }
    }

    /// A message from JSON; `None` if it is no object.
    pub(super) fn of_json(scope: FilterPolicyScope, json: &str) -> Option<Self> {
        let members = members(json)?;
        Some(match scope {
            FilterPolicyScope::MessageAttributes => Self::Attributes(members),
            FilterPolicyScope::MessageBody => Self::Body(members),
        })
    }

    /// The values under a path.
    pub(super) fn facts(&self, path: &str) -> Cow<'_, [Fact]> {
        match self {
            Self::Order(order) => {
                let fact = |value: AttributeValue| Fact { value: value.into(), within: Elements::default() };
                Cow::Owned(facts(order, path).into_iter().map(fact).collect())
            }
            Self::Attributes(members) | Self::Body(members) => Cow::Borrowed(members.at(path)),
            Self::Element { rest, element, of } => {
                Cow::Borrowed(if is_within(of, path) { element } else { rest }.at(path))
            }
        }
    }

    /// The elements of arrays on the way to a path in which nothing stands under it, `facts` being all that does.
    pub(super) fn lacking(&self, path: &str, facts: &[Fact]) -> Vec<&Elements> {
        let members = match self {
            Self::Order(_) | Self::Attributes(_) => return Vec::new(),
            Self::Body(members) => members,
            Self::Element { rest, element, of } => {
                if is_within(of, path) {
                    element
                } else {
                    rest
                }
            }
        };
        let arrays = members.elements.iter().filter(|(array, _)| is_within(array, path));
        let has_any = |elements: &Elements| facts.iter().any(|fact| fact.within.is_within(elements));
        arrays.flat_map(|(_, elements)| elements).filter(|elements| !has_any(elements)).collect()
    }

    /// Whether there is any attribute. Where there is none, SNS does not match what asks for one's absence (AWS, "Key
    /// matching").
    pub(super) fn can_lack(&self) -> bool {
        !matches!(self, Self::Attributes(members) if members.facts.is_empty())
    }
}

impl Members {
    fn at(&self, path: &str) -> &[Fact] {
        self.facts.get(path).map(Vec::as_slice).unwrap_or_default()
    }

    /// All but the array at `path`, which is in no other and holds nothing but objects, and what each of these holds.
    pub(super) fn element_by_element(self, path: &str) -> (Self, Vec<Self>) {
        let count = self.elements.get(path).map(Vec::len).unwrap_or_default();
        let mut each: Vec<_> = (0..count).map(|_| Self::default()).collect();
        let mut rest = Self::default();
        for (at, facts) in self.facts {
            for fact in facts {
                let part = fact.within.outermost().filter(|_| is_within(path, &at));
                let part = part.and_then(|place| each.get_mut(place)).unwrap_or(&mut rest);
                part.facts.entry(at.clone()).or_default().push(fact);
            }
        }
        for (at, arrays) in self.elements {
            for within in arrays {
                let part = within.outermost().filter(|_| at == path || is_within(path, &at));
                let part = part.and_then(|place| each.get_mut(place)).unwrap_or(&mut rest);
                part.elements.entry(at.clone()).or_default().push(within);
            }
        }
        (rest, each)
    }
}

/// Whether something at `path` is within the array or object at `outer`.
fn is_within(outer: &str, path: &str) -> bool {
    path.strip_prefix(outer).is_some_and(|rest| rest.starts_with('.'))
}

/// Everything that attribute policies can ask of an order, under the keys that they use; what it does not say is left out.
#[must_use]
pub fn all_facts(order: &Order) -> Vec<(&str, Vec<AttributeValue>)> {
    let attributes = order.details.attributes.keys().map(String::as_str);
    let facts = FIELD_NAMES.into_iter().chain(attributes).map(|key| (key, facts(order, key)));
    facts.filter(|(_, values)| !values.is_empty()).collect()
}

/// What an order says under a policy's key: its own fields, then its attributes. Several items give several values.
fn facts(order: &Order, key: &str) -> Vec<AttributeValue> {
    let details = &order.details;
    let text =
        |value: Option<&str>| value.map(|text| AttributeValue::String(text.to_owned())).into_iter().collect();
    match key {
        "orderId" => text(Some(&order.id.to_string())),
        "customerName" => text(details.customer_name.as_deref()),
        "customerEmail" => text(details.customer_email.as_deref()),
        "customerPhone" => text(details.customer_phone.as_deref()),
        "currency" => text(details.currency.as_deref()),
        "total" => details.total.map(AttributeValue::Number).into_iter().collect(),
        "productName" => {
            details.products.iter().map(|(name, _)| AttributeValue::String(name.to_owned())).collect()
        }
        "quantity" => details
            .products
            .iter()
            .filter_map(|(_, quantity)| Some(AttributeValue::Number(quantity?.into())))
            .collect(),
        "sku" => skus(&details.products),
        _ => details.attributes.get(key).cloned().into_iter().collect(),
    }
}

fn skus(products: &Products) -> Vec<AttributeValue> {
    products.items.iter().filter_map(|item| item.sku.clone()).map(AttributeValue::String).collect()
}

/// The values of a JSON object by the way that leads to them; `None` if it is no object.
fn members(json: &str) -> Option<Members> {
    let json: &RawValue = serde_json::from_str(json).ok()?;
    let mut flattening = Flattening::default();
    flattening.object("", &Elements::default(), json.get(), 0)?;
    Some(flattening.members)
}

#[derive(Default)]
struct Flattening {
    members: Members,
    /// How many arrays were met; numbers them.
    arrays: usize,
}

impl Flattening {
    fn object(&mut self, path: &str, within: &Elements, json: &str, level: usize) -> Option<()> {
        let named: BTreeMap<String, &RawValue> = serde_json::from_str(json).ok()?;
        for (name, json) in named {
            let path = if path.is_empty() { name } else { format!("{path}.{name}") };
            self.value(&path, within, json.get(), level)?;
        }
        Some(())
    }

    fn value(&mut self, path: &str, within: &Elements, json: &str, level: usize) -> Option<()> {
        if level >= MAX_LEVELS {
            return None;
        }
        match json.as_bytes().first() {
            Some(b'{') => return self.object(path, within, json, level + 1),
            Some(b'[') => return self.array(path, within, json, level + 1),
            _ => {}
        }
        let fact = Fact { value: scalar(json)?, within: within.clone() };
        self.members.facts.entry(path.to_owned()).or_default().push(fact);
        Some(())
    }

    fn array(&mut self, path: &str, within: &Elements, json: &str, level: usize) -> Option<()> {
        let elements: Vec<&RawValue> = serde_json::from_str(json).ok()?;
        self.arrays += 1;
        let array = self.arrays;
        for (place, json) in elements.into_iter().enumerate() {
            let mut within = within.clone();
            // Values of an array stand for themselves; only an object's members belong together.
            if json.get().starts_with(['{', '[']) {
                within.0.insert(array, place);
            }
            if json.get().starts_with('{') {
                self.members.elements.entry(path.to_owned()).or_default().push(within.clone());
            }
            self.value(path, &within, json.get(), level)?;
        }
        Some(())
    }
}

/// A value that is neither an object nor an array. A number of a size that no policy can name counts as the largest.
fn scalar(json: &str) -> Option<Value> {
    Some(match json.as_bytes().first()? {
        b'"' => Value::Text(serde_json::from_str(json).ok()?),
        b't' | b'f' => Value::Bool(json == "true"),
        b'n' => Value::Null,
        _ => Value::Number(number(json)),
    })
}

fn number(json: &str) -> Decimal {
    let read = json.parse().or_else(|_| Decimal::from_scientific(json)).ok();
    read.unwrap_or_else(|| match json.parse::<f64>().unwrap_or_default() {
        float if float >= 1.0 => Decimal::MAX,
        float if float <= -1.0 => Decimal::MIN,
        _ => Decimal::ZERO,
    })
}
