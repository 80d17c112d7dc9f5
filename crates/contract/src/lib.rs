//! The HTTP contract, held. The tests' clients give [`check`] every answer that they see; [`breaking_changes`] says where
//! a document breaks the clients of another.
//!
//! Only tests use it: no program does.

mod alternatives;
mod breaking;
mod closed;
mod document;
mod response;
mod schemas;

use std::sync::LazyLock;

use anyhow::Result;

pub use breaking::breaking_changes;
pub use response::{Contract, Response};

/// The document that the program serves at `/openapi.json`.
pub const DOCUMENT: &str = include_str!("../../web/openapi.json");

/// The document as it was last released; `CONTRIBUTING.md` says when it is renewed.
pub const RELEASED: &str = include_str!("../released/openapi.json");

static CONTRACT: LazyLock<Result<Contract>> = LazyLock::new(|| Contract::read(DOCUMENT));

/// Holds an answer of the program against [`DOCUMENT`].
///
/// # Errors
/// It is another than the document promises; the error says how.
pub fn check(response: &Response<'_>) -> Result<()> {
    match &*CONTRACT {
        Ok(contract) => contract.check(response),
        Err(error) => anyhow::bail!("openapi.json cannot be read: {error:#}"),
    }
}
