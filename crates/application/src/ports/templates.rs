//! What operators wrote in place of what the program says of an order.

use async_trait::async_trait;
use domain::Timestamp;
use domain::endpoint::Protocol;
use domain::template::{TemplateName, TemplateSource};

use crate::Error;

/// The most templates that are kept: all of them are held in memory.
pub const MAX_TEMPLATES: u32 = 200;

/// Keeps templates, as they were written. An adapter MUST keep these promises:
///
/// - What it answers holds what was set before it was asked, by whatever process.
/// - A subscription's template goes with the end of the subscription, in the same commit.
/// - One that is damaged is answered as far as it can be read, and hinders nothing else.
#[async_trait]
pub trait Templates: Send + Sync {
    /// All that are set.
    async fn templates(&self) -> Result<Vec<StoredTemplate>, Error>;

    /// Sets one, in the place of what was set under its name. `NotFound` with `subscription_not_found`; `Conflict` with
    /// `subscription_ended`, and with `too_many_templates` past [`MAX_TEMPLATES`]; `NotOnThisHost` for a subscription's, where
    /// one text goes to all.
    async fn set_template(
        &self,
        name: TemplateName,
        source: TemplateSource,
        now: Timestamp,
    ) -> Result<(), Error>;

    /// Takes one away, if it is set.
    async fn reset_template(&self, name: TemplateName) -> Result<(), Error>;
}

/// A template that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTemplate {
    /// For what it is.
    pub name: TemplateName,
    /// Over which protocol its messages go.
    pub protocol: Protocol,
    /// As it was written.
    pub source: TemplateSource,
    /// When.
    pub set_at: Timestamp,
}
