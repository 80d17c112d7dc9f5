//! What of an order a subscription is shown.

use std::collections::BTreeSet;
use std::fmt;

use crate::Invalid;
use crate::filter_policy::FilterPolicy;
use crate::order::{Extra, Item, Order, OrderDetails, Products, Warning};

/// The members of an order that a subscription is shown, besides its id and its time: at least one, and of its lines either
/// all or those that are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields(BTreeSet<Field>);

/// A member of an order that can be shown or hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Field {
    CustomerName,
    ProductName,
    Quantity,
    Items,
    MatchingItems,
    CustomerEmail,
    CustomerPhone,
    Currency,
    Total,
    Note,
    Reference,
    DeliveryAddress,
    DeliverAt,
    Locale,
    Attributes,
    Extra,
}

impl Field {
    const ALL: [Self; 16] = [
        Self::CustomerName,
        Self::ProductName,
        Self::Quantity,
        Self::Items,
        Self::MatchingItems,
        Self::CustomerEmail,
        Self::CustomerPhone,
        Self::Currency,
        Self::Total,
        Self::Note,
        Self::Reference,
        Self::DeliveryAddress,
        Self::DeliverAt,
        Self::Locale,
        Self::Attributes,
        Self::Extra,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::CustomerName => "customerName",
            Self::ProductName => "productName",
            Self::Quantity => "quantity",
            Self::Items => "items",
            Self::MatchingItems => "matchingItems",
            Self::CustomerEmail => "customerEmail",
            Self::CustomerPhone => "customerPhone",
            Self::Currency => "currency",
            Self::Total => "total",
            Self::Note => "note",
            Self::Reference => "reference",
            Self::DeliveryAddress => "deliveryAddress",
            Self::DeliverAt => "deliverAt",
            Self::Locale => "locale",
            Self::Attributes => "attributes",
            Self::Extra => "extra",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }
}

impl Fields {
    /// Reads the members' names, as the contract has them; `matchingItems` are those of the `items` that the subscription's
    /// own filter policy wants. What is named twice counts once.
    ///
    /// # Errors
    /// `invalid_fields` where there is none, one is not known, or `items` and `matchingItems` are both named.
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, Invalid> {
        let invalid = |why: String| Invalid::new("invalid_fields", "fields", why);
        let field = |name: &'a str| Field::named(name).ok_or_else(|| invalid(unknown(name)));
        let fields: BTreeSet<_> = names.into_iter().map(field).collect::<Result<_, _>>()?;
        if fields.is_empty() {
            let why = "fields must name at least one member; without fields, everything is shown";
            return Err(invalid(why.to_owned()));
        }
        if fields.contains(&Field::Items) && fields.contains(&Field::MatchingItems) {
            let why = "fields must not name both items and matchingItems: items are all of them";
            return Err(invalid(why.to_owned()));
        }
        Ok(Self(fields))
    }

    /// The names, for a store.
    #[must_use]
    pub fn stored(&self) -> String {
        self.to_string()
    }

    /// Reads what [`Fields::stored`] gave.
    ///
    /// # Errors
    /// `invalid_fields`: nobody can say what may be shown.
    pub fn from_stored(text: &str) -> Result<Self, Invalid> {
        Self::parse(text.split(','))
    }

    /// The names, in the contract's order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|field| field.name())
    }

    /// Whether a filter policy decides which items are shown.
    #[must_use]
    pub fn need_policy(&self) -> bool {
        self.show(Field::MatchingItems)
    }

    /// The order without what is not shown, in whatever form a client sent that: of what could not be read, which lies in
    /// `extra`, and of warnings, no more is shown than of the members that they are about.
    #[must_use]
    pub fn reduce(&self, order: &Order, policy: Option<&FilterPolicy>) -> Order {
        let OrderDetails {
            customer_name,
            products,
            customer_email,
            customer_phone,
            currency,
            total,
            note,
            reference,
            delivery_address,
            deliver_at,
            locale,
            attributes,
            extra,
            warnings,
        } = &order.details;
        let details = OrderDetails {
            customer_name: self.shown(Field::CustomerName, customer_name),
            products: Products {
                product_name: self.shown(Field::ProductName, &products.product_name),
                quantity: self.shown(Field::Quantity, &products.quantity),
                items: self.items(order, policy),
            },
            customer_email: self.shown(Field::CustomerEmail, customer_email),
            customer_phone: self.shown(Field::CustomerPhone, customer_phone),
            currency: self.shown(Field::Currency, currency),
            total: self.shown(Field::Total, total),
            note: self.shown(Field::Note, note),
            reference: self.shown(Field::Reference, reference),
            delivery_address: self.shown(Field::DeliveryAddress, delivery_address),
            deliver_at: self.shown(Field::DeliverAt, deliver_at),
            locale: self.shown(Field::Locale, locale),
            attributes: self.shown(Field::Attributes, attributes),
            extra: self.extra(extra.as_ref()),
            warnings: self.warnings(warnings),
        };
        Order { id: order.id, time: order.time, details, request_id: order.request_id.clone() }
    }

    fn show(&self, field: Field) -> bool {
        self.0.contains(&field)
    }

    fn shown<T: Clone + Default>(&self, field: Field, value: &T) -> T {
        if self.show(field) { value.clone() } else { T::default() }
    }

    fn items(&self, order: &Order, policy: Option<&FilterPolicy>) -> Vec<Item> {
        let items = &order.details.products.items;
        let mut shown = if self.show(Field::Items) {
            items.clone()
        } else if self.show(Field::MatchingItems) {
            let wanted = policy.map(|policy| policy.wanted_items(order)).unwrap_or_default();
            items.iter().zip(wanted).filter(|(_, wanted)| *wanted).map(|(item, _)| item.clone()).collect()
        } else {
            Vec::new()
        };
        if !self.show(Field::Extra) {
            for item in &mut shown {
                item.extra = None;
            }
        }
        shown
    }

    fn extra(&self, extra: Option<&Extra>) -> Option<Extra> {
        extra.filter(|_| self.show(Field::Extra))?.filtered(|name| self.may_tell_of(name))
    }

    fn warnings(&self, warnings: &[Warning]) -> Vec<Warning> {
        let about = |warning: &Warning| {
            let member = warning.field.split(['.', '[']).next().unwrap_or_default();
            self.show(Field::Extra) && self.may_tell_of(member)
        };
        warnings.iter().filter(|warning| about(warning)).cloned().collect()
    }

    /// Whether anything is shown under a member's name: of the order's own only what is named, and of `items` nothing where
    /// those alone are shown that are wanted.
    fn may_tell_of(&self, member: &str) -> bool {
        Field::named(member).is_none_or(|field| field == Field::MatchingItems || self.show(field))
    }
}

impl fmt::Display for Fields {
    /// `customerName,items`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, name) in self.names().enumerate() {
            f.write_str(if place == 0 { "" } else { "," })?;
            f.write_str(name)?;
        }
        Ok(())
    }
}

fn unknown(name: &str) -> String {
    let known = Field::ALL.map(Field::name).join(", ");
    let name: String = name.chars().take(MAX_NAMED).collect();
    format!(
        "fields must be among {known}, which {name:?} is not; orderId, orderTime and shortReference are always shown, and warnings with extra"
    )
}

/// As much of an unknown name as an error repeats, in characters.
const MAX_NAMED: usize = 40;
