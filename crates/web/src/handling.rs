//! What becomes of an order of which a member cannot be read: as the host decides, or as the client prefers (RFC 7240).

use domain::Invalid;
use domain::order::OrderDetails;
use http::{HeaderMap, HeaderName, HeaderValue};

/// Says what a client prefers.
pub(crate) const PREFER: HeaderName = HeaderName::from_static("prefer");
/// Says which preference was followed.
pub(crate) const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// What becomes of such an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Handling {
    /// It is taken with all that came, and the answer's `warnings` name the member.
    #[default]
    Lenient,
    /// It is refused.
    Strict,
}

impl Handling {
    /// By its name in RFC 7240, section 4.4.
    ///
    /// # Errors
    /// The rule, as a sentence that wants the setting's name before it.
    pub fn parse(name: &str) -> Result<Self, String> {
        Self::named(name.trim()).ok_or_else(|| "must be lenient or strict".to_owned())
    }

    fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "lenient" => Some(Self::Lenient),
            "strict" => Some(Self::Strict),
            _ => None,
        }
    }

    /// What the client prefers; `None`: it does not say. Of several the first counts, and what is not understood counts
    /// as not said (RFC 7240, section 2).
    pub(crate) fn preferred(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
        let preferences = values.flat_map(|value| value.split(','));
        let mut said = preferences.filter_map(|preference| {
            let preference = preference.split(';').next().unwrap_or_default();
            let (name, value) = preference.split_once('=')?;
            name.trim().eq_ignore_ascii_case("handling").then(|| Self::named(value.trim().trim_matches('"')))
        });
        said.next().flatten()
    }

    /// Says to a client that its preference was followed.
    pub(crate) fn applied(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Lenient => "handling=lenient",
            Self::Strict => "handling=strict",
        })
    }

    /// Reads an order so.
    pub(crate) fn read(self, json: &[u8]) -> Result<OrderDetails, Invalid> {
        match self {
            Self::Lenient => OrderDetails::parse(json),
            Self::Strict => OrderDetails::parse_strictly(json),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preference_is_read_as_the_standard_has_it() {
        for (said, preferred) in [
            (&["handling=strict"][..], Some(Handling::Strict)),
            (&["handling=lenient"], Some(Handling::Lenient)),
            (&["return=minimal, Handling = \"strict\"; x=1"], Some(Handling::Strict)),
            (&["respond-async", "handling=strict"], Some(Handling::Strict)),
            (&["handling=lenient, handling=strict"], Some(Handling::Lenient)),
            (&["handling=other"], None),
            (&["handling"], None),
            (&["x; handling=strict"], None),
            (&[], None),
        ] {
            let mut headers = HeaderMap::new();
            for value in said {
                headers.append(PREFER, HeaderValue::from_static(value));
            }
            assert_eq!(Handling::preferred(&headers), preferred, "{said:?}");
        }
    }
}
