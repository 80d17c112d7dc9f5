//! Lists that are read a page at a time.

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The rows, in the list's order.
    pub items: Vec<T>,
    /// Where the next page begins, opaque to everyone but the adapter that made it; `None`: this was the last page.
    pub next: Option<String>,
}

/// Which page is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// The most rows, 1 to [`PageRequest::MAX`].
    pub limit: usize,
    /// A [`Page::next`] of the same list, or `None` for the first page.
    pub cursor: Option<String>,
}

impl PageRequest {
    /// The largest page.
    pub const MAX: usize = 200;
    /// The page that is given when none is asked for.
    pub const DEFAULT: usize = 50;
}
