//! Where the next page of a list begins: SNS's pages are of 100, ours of any size.

use application::{Error, ErrorKind};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

/// A place among SNS's pages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// SNS's token of its page; `None` for the first.
    pub(super) token: Option<String>,
    /// How many rows of that page were given already.
    pub(super) given: usize,
}

impl Place {
    pub(super) fn read(cursor: Option<&str>) -> Result<Self, Error> {
        let Some(cursor) = cursor else { return Ok(Self::default()) };
        let read = || {
            let (given, token) = cursor.split_once('.')?;
            let token = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
            Some(Self { token: Some(token).filter(|token| !token.is_empty()), given: given.parse().ok()? })
        };
        read().ok_or_else(invalid_cursor)
    }

    pub(super) fn to_cursor(&self) -> String {
        format!("{}.{}", self.given, BASE64_URL_SAFE_NO_PAD.encode(self.token.as_deref().unwrap_or_default()))
    }
}

pub(super) fn invalid_cursor() -> Error {
    Error::new(ErrorKind::Invalid, "invalid_cursor", "cursor is not one of this list")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_found_again_by_a_cursor_that_stands_in_a_url() {
        for place in [Place::default(), Place { token: Some("AAF/+x==".to_owned()), given: 42 }] {
            let cursor = place.to_cursor();
            assert!(cursor.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)));
            assert_eq!(Place::read(Some(&cursor)).unwrap(), place);
        }
        assert_eq!(Place::read(None).unwrap(), Place::default());
    }

    #[test]
    fn a_bad_cursor_is_refused() {
        for cursor in ["", "x", "1", "-1.", "1.!", "1._w"] {
            assert_eq!(Place::read(Some(cursor)).unwrap_err().code, "invalid_cursor", "{cursor}");
        }
    }
}
