//! Lists that are read a page at a time.

use serde::Serialize;

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The rows, in the list's order.
    pub items: Vec<T>,
    /// The rows that should stand among them and cannot be read. Together with those they are as many as were asked for.
    pub unreadable: Vec<UnreadableRow>,
    /// Where the next page begins, opaque to everyone but the adapter that made it; `None`: this was the last page.
    pub next: Option<String>,
}

/// A row that cannot be read: damaged, or written by a version that this one knows nothing of. Nothing else is held up by
/// it, and the deliveries that depend on it wait until it is mended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnreadableRow {
    /// The id of what it is, where that can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Where it lies, such as `orders.seq = 7`.
    pub place: String,
    /// What is wrong with it; nothing of what stands in it.
    pub reason: String,
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
