//! For whom something is put into words.

use crate::attributes::Attributes;
use crate::language::Language;
use crate::shop::Shop;
use crate::time_zone::{TimeZone, TimeZoneName};

/// Who reads a message: in which language, and by which clock.
#[derive(Debug, Clone)]
pub struct Reader {
    /// What it is said in.
    pub language: Language,
    /// What times are told in.
    pub time_zone: TimeZone,
}

impl Reader {
    /// The reader of a subscription's messages: what was chosen for it, and else what holds for the shop. A zone that this
    /// machine does not know is none.
    #[must_use]
    pub fn of(shop: &Shop, attributes: &Attributes) -> Self {
        let zone = attributes.time_zone.as_ref().and_then(TimeZoneName::zone);
        Self {
            language: attributes.language.unwrap_or(shop.language),
            time_zone: zone.unwrap_or_else(|| shop.time_zone.clone()),
        }
    }
}

/// Who reads what the shop says to everybody alike.
impl From<&Shop> for Reader {
    fn from(shop: &Shop) -> Self {
        Self { language: shop.language, time_zone: shop.time_zone.clone() }
    }
}

/// English, and UTC.
impl Default for Reader {
    fn default() -> Self {
        Self::from(&Shop::default())
    }
}
