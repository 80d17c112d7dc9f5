//! What an operator chooses for a subscription.

use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Invalid;
use crate::fields::Fields;
use crate::filter_policy::FilterPolicy;
use crate::id::SubscriptionId;
use crate::language::Language;
use crate::order::Order;
use crate::time_zone::TimeZoneName;

/// The attributes of a subscription. All but [`receives`](Self::receives) can be changed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attributes {
    /// Which orders it wants; `None`: all.
    pub filter_policy: Option<FilterPolicy>,
    /// The most messages it is sent in a second (SNS: `maxReceivesPerSecond`); `None`: as many as come.
    pub max_receives_per_second: Option<NonZeroU32>,
    /// Who is told of an order that this subscription did not get in time.
    pub escalation: Option<Escalation>,
    /// What of an order it is shown; `None`: everything.
    pub fields: Option<Fields>,
    /// What it is told of.
    pub receives: SubscribedTo,
    /// What it is told in; `None`: the shop's.
    pub language: Option<Language>,
    /// What times are told to it in; `None`: the shop's.
    pub time_zone: Option<TimeZoneName>,
}

/// An order that was not delivered to a subscription in time goes to another one too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Escalation {
    /// So many minutes after the delivery was made.
    pub after_minutes: Minutes,
    /// The other subscription.
    pub to: SubscriptionId,
}

/// A whole number of minutes; what is chosen is from 1 to 10,080 (a week).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Minutes(u16);

/// What a subscription is told of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SubscribedTo {
    /// Orders.
    #[default]
    Orders,
    /// Notices to the operator, and no orders.
    Notices,
    /// Both.
    All,
}

/// New values for some of a subscription's attributes; `None` leaves one as it is, `Some(None)` takes it away.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AttributesChange {
    /// For [`Attributes::filter_policy`].
    pub filter_policy: Option<Option<FilterPolicy>>,
    /// For [`Attributes::max_receives_per_second`].
    pub max_receives_per_second: Option<Option<NonZeroU32>>,
    /// For [`Attributes::escalation`].
    pub escalation: Option<Option<Escalation>>,
    /// For [`Attributes::fields`].
    pub fields: Option<Option<Fields>>,
    /// For [`Attributes::language`].
    pub language: Option<Option<Language>>,
    /// For [`Attributes::time_zone`].
    pub time_zone: Option<Option<TimeZoneName>>,
}

/// The highest rate that can be chosen, in messages a second.
pub const MAX_RATE: u32 = 10_000;

impl Attributes {
    /// Attributes of which only the filter policy is chosen.
    #[must_use]
    pub fn with_filter_policy(filter_policy: Option<FilterPolicy>) -> Self {
        Self { filter_policy, ..Self::default() }
    }

    /// As much of an order as is shown; `None`: all of it.
    #[must_use]
    pub fn shown(&self, order: &Order) -> Option<Order> {
        self.fields.as_ref().map(|fields| fields.reduce(order, self.filter_policy.as_ref()))
    }

    /// The attributes after a change.
    ///
    /// # Errors
    /// `invalid_fields` if the change would have items shown that no filter policy tells apart.
    pub fn changed(self, change: AttributesChange) -> Result<Self, Invalid> {
        let concerns_fields = change.fields.is_some() || change.filter_policy.is_some();
        let changed = Self {
            filter_policy: change.filter_policy.unwrap_or(self.filter_policy),
            max_receives_per_second: change.max_receives_per_second.unwrap_or(self.max_receives_per_second),
            escalation: change.escalation.unwrap_or(self.escalation),
            fields: change.fields.unwrap_or(self.fields),
            receives: self.receives,
            language: change.language.unwrap_or(self.language),
            time_zone: change.time_zone.unwrap_or(self.time_zone),
        };
        if concerns_fields {
            changed.check_fields()?;
        }
        Ok(changed)
    }

    /// That the items can be told apart which are shown.
    fn check_fields(&self) -> Result<(), Invalid> {
        let asks_of_items = self.filter_policy.as_ref().is_some_and(FilterPolicy::asks_of_items);
        if asks_of_items || !self.fields.as_ref().is_some_and(Fields::need_policy) {
            return Ok(());
        }
        let why = "fields can name matchingItems only beside a filterPolicy of the scope MessageBody that asks something of \
                   data.items, whichever alternative of it holds";
        Err(Invalid::new("invalid_fields", "fields", why))
    }

    /// The names, as the API has them, of those that are not as in `other`.
    #[must_use]
    pub fn differing(&self, other: &Self) -> Vec<&'static str> {
        let (asks, looks_elsewhere) = match (&self.filter_policy, &other.filter_policy) {
            (Some(one), Some(other)) => (!one.asks_as(other), one.scope() != other.scope()),
            (one, other) => (one.is_some() || other.is_some(), false),
        };
        let differing = [
            ("filterPolicy", asks),
            ("filterPolicyScope", looks_elsewhere),
            ("maxReceivesPerSecond", self.max_receives_per_second != other.max_receives_per_second),
            ("escalation", self.escalation != other.escalation),
            ("fields", self.fields != other.fields),
            ("receives", self.receives != other.receives),
            ("language", self.language != other.language),
            ("timeZone", self.time_zone != other.time_zone),
        ];
        differing.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
    }
}

impl AttributesChange {
    /// A change of the filter policy alone; `None` takes it away.
    #[must_use]
    pub fn with_filter_policy(filter_policy: Option<FilterPolicy>) -> Self {
        Self { filter_policy: Some(filter_policy), ..Self::default() }
    }
}

impl Minutes {
    /// The longest that can be chosen.
    pub const MAX: u16 = 10_080;
    /// That many, as a duration.
    pub const LONGEST: Duration = Duration::from_mins(Self::MAX as u64);

    /// Reads a number of minutes.
    ///
    /// # Errors
    /// `invalid_minutes`, naming `field` and the limits.
    pub fn parse(field: &str, minutes: u64) -> Result<Self, Invalid> {
        let read = u16::try_from(minutes).ok().filter(|minutes| (1..=Self::MAX).contains(minutes));
        let message = format!("{field} must be a whole number of minutes from 1 to {}", Self::MAX);
        read.map(Self).ok_or_else(|| Invalid::new("invalid_minutes", field, message))
    }

    /// Takes a number back from the store: one beyond what can be told is the nearest that can.
    #[must_use]
    pub fn stored(minutes: i64) -> Self {
        Self(u16::try_from(minutes.max(1)).unwrap_or(u16::MAX))
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u16 {
        self.0
    }

    /// The time it is.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_mins(self.0.into())
    }
}

/// Reads a rate in messages a second.
///
/// # Errors
/// `invalid_rate`, naming `field` and the limits.
pub fn rate(field: &str, rate: u64) -> Result<NonZeroU32, Invalid> {
    let read = u32::try_from(rate).ok().filter(|rate| *rate <= MAX_RATE).and_then(NonZeroU32::new);
    let message = format!("{field} must be a whole number from 1 to {MAX_RATE}");
    read.ok_or_else(|| Invalid::new("invalid_rate", field, message))
}

/// Takes a rate back from the store: one beyond what can be kept to is the nearest that can.
#[must_use]
pub fn stored_rate(rate: i64) -> NonZeroU32 {
    let rate = u32::try_from(rate.max(1)).unwrap_or(u32::MAX);
    NonZeroU32::new(rate).unwrap_or(NonZeroU32::MIN)
}

impl SubscribedTo {
    /// Everything there is to choose from.
    pub const ALL: [Self; 3] = [Self::Orders, Self::Notices, Self::All];

    /// Its name in the API and the store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::Notices => "notices",
            Self::All => "all",
        }
    }

    /// Whether it is told of orders.
    #[must_use]
    pub fn orders(self) -> bool {
        self != Self::Notices
    }

    /// Whether it is told what an operator should know.
    #[must_use]
    pub fn notices(self) -> bool {
        self != Self::Orders
    }

    /// Reads a name.
    ///
    /// # Errors
    /// `invalid_receives`, naming the field `receives`.
    pub fn parse(name: &str) -> Result<Self, Invalid> {
        let invalid =
            || Invalid::new("invalid_receives", "receives", "receives must be one of orders, notices, all");
        Self::ALL.into_iter().find(|receives| receives.name() == name).ok_or_else(invalid)
    }
}
