//! What people made of an order: whether one has seen it, and what came of it.

use std::fmt;

use serde::Serialize;

use crate::Invalid;
use crate::Timestamp;
use crate::visible::is_invisible;

/// The longest name of who changed a status, in characters.
pub const MAX_WHO: usize = 60;
/// The most changes of one order: an order that is changed more often than people do is changed by a program.
pub const MAX_CHANGES: u32 = 1_000;

/// What people made of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OrderStatus {
    /// Nobody said that they have seen it.
    #[default]
    New,
    /// A person has seen it.
    Acknowledged,
    /// It was done.
    Completed,
    /// It will not be done.
    Cancelled,
}

/// What a person does with an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Deed {
    /// They have seen it.
    Acknowledge,
    /// It is done.
    Complete,
    /// It will not be done.
    Cancel,
    /// It is as if nobody had seen it.
    Reopen,
}

impl OrderStatus {
    /// Every status there is.
    pub const ALL: [Self; 4] = [Self::New, Self::Acknowledged, Self::Completed, Self::Cancelled];

    /// Its name in the API and the store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Acknowledged => "acknowledged",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status of that name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// What an order of this status becomes; `None`: that cannot be done with it.
    #[must_use]
    pub fn after(self, deed: Deed) -> Option<Self> {
        match (self, deed) {
            (Self::New, Deed::Acknowledge) => Some(Self::Acknowledged),
            (Self::New | Self::Acknowledged, Deed::Complete) => Some(Self::Completed),
            (Self::New | Self::Acknowledged, Deed::Cancel) => Some(Self::Cancelled),
            (Self::Acknowledged | Self::Completed | Self::Cancelled, Deed::Reopen) => Some(Self::New),
            _ => None,
        }
    }

    /// Whether a change leads from one status to another.
    #[must_use]
    pub fn leads_to(self, next: Self) -> bool {
        Deed::to(next).is_some_and(|deed| self.after(deed) == Some(next))
    }
}

impl Deed {
    /// What makes that of an order.
    #[must_use]
    pub fn to(status: OrderStatus) -> Option<Self> {
        Some(match status {
            OrderStatus::New => Self::Reopen,
            OrderStatus::Acknowledged => Self::Acknowledge,
            OrderStatus::Completed => Self::Complete,
            OrderStatus::Cancelled => Self::Cancel,
        })
    }
}

impl fmt::Display for OrderStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// By what way a person changed a status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// With the admin key, or over the operator's socket.
    Operator,
    /// By the link in a message.
    Link {
        /// Whom it was sent to, as an address is [shown](crate::endpoint::Endpoint::masked).
        to: String,
    },
}

impl Way {
    /// Its name in the API.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Link { .. } => "link",
        }
    }
}

/// A person's change of an order's status, as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusChange {
    /// What it has become.
    pub status: OrderStatus,
    /// When.
    pub at: Timestamp,
    /// The name that they gave.
    pub who: Option<String>,
    /// By what way.
    pub way: Way,
}

/// Reads the name of who changes a status.
///
/// # Errors
/// `invalid_name`, with the limits.
pub fn who(text: &str) -> Result<String, Invalid> {
    let name = text.trim();
    if name.chars().all(is_invisible) || name.chars().any(char::is_control) || name.chars().count() > MAX_WHO
    {
        let message =
            format!("by must be a name on one line, of at most {MAX_WHO} characters that people see");
        return Err(Invalid::new("invalid_name", "by", message));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_seen_once_ends_once_and_begins_anew() {
        use OrderStatus::{Acknowledged, Cancelled, Completed, New};
        for (status, acknowledged, completed, cancelled, reopened) in [
            (New, Some(Acknowledged), Some(Completed), Some(Cancelled), None),
            (Acknowledged, None, Some(Completed), Some(Cancelled), Some(New)),
            (Completed, None, None, None, Some(New)),
            (Cancelled, None, None, None, Some(New)),
        ] {
            let deeds = [Deed::Acknowledge, Deed::Complete, Deed::Cancel, Deed::Reopen];
            assert_eq!(deeds.map(|deed| status.after(deed)), [acknowledged, completed, cancelled, reopened]);
            for next in OrderStatus::ALL {
                let may = [acknowledged, completed, cancelled, reopened].contains(&Some(next));
                assert_eq!(status.leads_to(next), may, "{status} to {next}");
            }
            assert_eq!(OrderStatus::of_name(status.name()), Some(status));
        }
        assert_eq!(OrderStatus::of_name("seen"), None);
    }

    #[test]
    fn a_name_says_something_on_one_line() {
        assert_eq!(who("  Maria  ").unwrap(), "Maria");
        for wrong in ["", " ", "\u{200b}", "a\nb", &"x".repeat(MAX_WHO + 1)] {
            assert_eq!(who(wrong).unwrap_err().field, "by", "{wrong:?}");
        }
    }
}
