//! What a template can name: the values of one order, its lists and theirs, and nothing else.

use crate::notification::FactKind;

/// A name that a template may use.
#[derive(Debug, Clone, Copy)]
pub struct Named<T> {
    /// As it is written between braces.
    pub name: &'static str,
    /// What stands there.
    pub meaning: &'static str,
    pub(super) of: T,
}

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Name {
    Value(Value),
    /// The attribute of that name.
    Attribute(String),
    /// The member of `extra` of that name, or on that path.
    Extra(String),
    List(List),
    /// Of the one that its section is about.
    OfList(OfList),
}

/// One value of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// Its id.
    OrderId,
    /// What people call it.
    ShortReference,
    /// When it was accepted.
    OrderTime,
    /// What it says under that label.
    Fact(FactKind),
    /// Who placed it.
    CustomerName,
    /// All that was ordered, on one line.
    ProductName,
    /// The code of its currency.
    Currency,
    /// The page of the order.
    OrderUrl,
    /// Ends the subscription.
    UnsubscribeUrl,
    /// The shop.
    ShopName,
    /// The program's own subject.
    Subject,
    /// The program's own text.
    Text,
    /// Whether there are items.
    HasItems,
}

/// What there may be several of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// Its items.
    Items,
    /// What it holds beside them that has a name of ours.
    Facts,
    /// What it holds under the client's own names.
    OtherFacts,
}

/// One value of one of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfList {
    /// Of an item.
    ProductName,
    /// Of an item: how many.
    Quantity,
    /// Of an item: the shop's code.
    Sku,
    /// Of an item: what one costs.
    UnitPrice,
    /// Of an item: what else came with it.
    Extra,
    /// Of a fact.
    Label,
    /// Of a fact.
    Value,
}

const fn named<T>(name: &'static str, of: T, meaning: &'static str) -> Named<T> {
    Named { name, meaning, of }
}

/// Every value of an order. Beside these there are `attributes.NAME` and `extra.NAME`.
pub const VALUES: [Named<Value>; 20] = [
    named("orderId", Value::OrderId, "its id"),
    named("shortReference", Value::ShortReference, "what people call it, such as K7QM-2XNA"),
    named("orderTime", Value::OrderTime, "when it was accepted"),
    named("customerName", Value::CustomerName, "who placed it"),
    named("productName", Value::ProductName, "all that was ordered, on one line"),
    named("quantity", Value::Fact(FactKind::Quantity), "how many, of an order of one product"),
    named("total", Value::Fact(FactKind::Total), "what all of it costs, with its currency"),
    named("currency", Value::Currency, "the code of its currency"),
    named("deliverAt", Value::Fact(FactKind::WantedAt), "when it is wanted"),
    named("note", Value::Fact(FactKind::Note), "what the customer wrote"),
    named("customerPhone", Value::Fact(FactKind::Phone), "the customer's number"),
    named("customerEmail", Value::Fact(FactKind::Email), "the customer's mail address"),
    named("deliveryAddress", Value::Fact(FactKind::Address), "where it goes"),
    named("reference", Value::Fact(FactKind::Reference), "the shop's own number of it"),
    named("locale", Value::Fact(FactKind::Language), "the customer's language"),
    named("orderUrl", Value::OrderUrl, "the page that shows all of it"),
    named("unsubscribeUrl", Value::UnsubscribeUrl, "the page that ends the subscription"),
    named("shopName", Value::ShopName, "the shop's name"),
    named("subject", Value::Subject, "what the subject of a mail is without a template"),
    named("text", Value::Text, "what the text is without a template"),
];

/// Says only whether something is there: for sections.
pub(super) const HAS_ITEMS: Named<Value> = named("hasItems", Value::HasItems, "whether there are items");

/// Every list of an order, each with the values of one of them.
pub const LISTS: [(Named<List>, &[Named<OfList>]); 3] = [
    (
        named("items", List::Items, "its items, one by one"),
        &[
            named("productName", OfList::ProductName, "the product"),
            named("quantity", OfList::Quantity, "how many"),
            named("sku", OfList::Sku, "the shop's code for it"),
            named("unitPrice", OfList::UnitPrice, "what one costs, with its currency"),
            named("extra", OfList::Extra, "what else came with it, where that is short"),
        ],
    ),
    (named("facts", List::Facts, "what else it holds, such as its total and its note"), OF_FACTS),
    (named("otherFacts", List::OtherFacts, "its attributes, and what the program does not know"), OF_FACTS),
];

const OF_FACTS: &[Named<OfList>] = &[
    named("label", OfList::Label, "what it is called, in the reader's language"),
    named("value", OfList::Value, "what it says"),
];

impl Name {
    /// What `name` stands for, within a section of `list`: first what one of the list has, and then what the order has.
    pub(super) fn resolve(name: &str, list: Option<List>) -> Option<Self> {
        let of_list = of_list(list).iter().find(|named| named.name == name);
        if let Some(named) = of_list {
            return Some(Self::OfList(named.of));
        }
        if let Some(name) = name.strip_prefix("attributes.").filter(|name| !name.is_empty()) {
            return Some(Self::Attribute(name.to_owned()));
        }
        if let Some(path) = name.strip_prefix("extra.").filter(|path| !path.is_empty()) {
            return Some(Self::Extra(path.to_owned()));
        }
        let list = LISTS.iter().find(|(list, _)| list.name == name).map(|(list, _)| Self::List(list.of));
        let value = VALUES.iter().chain([&HAS_ITEMS]).find(|value| value.name == name);
        list.or(value.map(|value| Self::Value(value.of)))
    }

    /// All names that there are within a section of `list`, as an error lists them.
    pub(super) fn all(list: Option<List>) -> String {
        let of_list = of_list(list).iter().map(|named| named.name);
        let lists = LISTS.iter().map(|(list, _)| list.name).filter(|_| list.is_none());
        let values = VALUES.iter().chain([&HAS_ITEMS]).map(|value| value.name);
        let own = of_list.chain(values).chain(lists).chain(["attributes.NAME", "extra.NAME"]);
        let mut names: Vec<_> = own.collect();
        names.dedup();
        names.join(", ")
    }
}

fn of_list(list: Option<List>) -> &'static [Named<OfList>] {
    let found = LISTS.iter().find(|(named, _)| Some(named.of) == list);
    found.map(|(_, of_list)| *of_list).unwrap_or_default()
}
