//! Further paths where orders are placed, for clients that were made for another program.

/// The route that must be fast.
pub(crate) const CREATE_ORDER: &str = "/create-order";
/// How paths begin that are posted to, or that people open: none of them may become one where orders are placed. Orders and
/// the form at the root are only read, and may be read further on. A test holds this against the table of routes.
pub(crate) const RESERVED: [&str; 13] = [
    "assets",
    "console",
    "deliveries",
    "docs",
    "healthz",
    "inbox",
    "metrics",
    "o",
    "openapi.json",
    "readyz",
    "receipts",
    "subscriptions",
    "templates",
];
/// The longest path, in bytes.
const MAX_PATH_BYTES: usize = 200;

/// A path besides `/create-order` where orders are placed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderPathAlias(String);

impl OrderPathAlias {
    /// The root, where a function URL's clients post to.
    #[must_use]
    pub fn root() -> Self {
        Self("/".to_owned())
    }

    /// Reads paths as hosts have them configured, with commas between them: `/orders/new,/shop/create-order`.
    ///
    /// # Errors
    /// The rule that is broken, as a sentence that wants the setting's name before it.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, String> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let mut paths = entries.map(Self::parse).collect::<Result<Vec<_>, _>>()?;
        paths.retain(|path| path.0 != CREATE_ORDER);
        paths.sort();
        paths.dedup();
        Ok(paths)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let is_segment = |segment: &str| {
            let allowed =
                |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
            !segment.is_empty() && segment.bytes().all(allowed) && !matches!(segment, "." | "..")
        };
        let rest = text.strip_prefix('/');
        if text.len() > MAX_PATH_BYTES
            || !rest.is_some_and(|rest| rest.is_empty() || rest.split('/').all(is_segment))
        {
            return Err(format!(
                "must be paths such as /orders/new,/shop/create-order: each begins with /, does not end with it, has \
                 letters, digits and - _ . ~ between, and at most {MAX_PATH_BYTES} characters"
            ));
        }
        if text.split('/').nth(1).is_some_and(|first| RESERVED.contains(&first)) {
            return Err(format!("must not name {text}, where other requests are answered"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The path itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Vec<String>, String> {
        OrderPathAlias::parse_list(text).map(|paths| paths.into_iter().map(|path| path.0).collect())
    }

    #[test]
    fn paths_are_read_from_a_list_and_each_counts_once() {
        assert_eq!(
            parsed(" /orders/new, /shop/create-order,/create-order,/orders/new,").unwrap(),
            ["/orders/new", "/shop/create-order"]
        );
        assert_eq!(parsed("/").unwrap(), ["/"]);
        assert_eq!(parsed("/orders").unwrap(), ["/orders"]);
        assert_eq!(parsed("").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn what_is_no_path_or_is_served_otherwise_is_refused() {
        for wrong in [
            "orders",
            "//",
            "/a/",
            "/a b",
            "/{id}",
            "/a?b",
            "/a/../b",
            "/*x",
            "/ä",
            &format!("/{}", "x".repeat(200)),
        ] {
            assert!(parsed(wrong).unwrap_err().contains("must be paths"), "{wrong}");
        }
        for taken in [
            "/subscriptions",
            "/deliveries/redrive",
            "/deliveries/x/drop",
            "/console/login",
            "/assets/x",
            "/healthz",
        ] {
            assert!(parsed(taken).unwrap_err().contains("must not name"), "{taken}");
        }
    }
}
