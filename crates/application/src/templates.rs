//! What operators wrote in place of what the program says of an order: set, tried out and taken away.

mod book;
mod preview;

pub use book::TemplateBook;
use domain::Invalid;
use domain::endpoint::Protocol;
use domain::template::{Template, TemplateName, TemplateSource};
pub use preview::{Preview, PreviewRequest, preview};

use crate::ports::StoredTemplate;
use crate::{App, Error, subscriptions};

/// A template, and what is wrong with it where the program would not take it any more: then the built-in texts stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// As it is kept.
    pub stored: StoredTemplate,
    /// Why it is not used.
    pub wrong: Option<Invalid>,
}

impl From<StoredTemplate> for Listed {
    fn from(stored: StoredTemplate) -> Self {
        let wrong = Template::parse(stored.source.clone(), stored.protocol).err();
        Self { stored, wrong }
    }
}

/// All that are set.
///
/// # Errors
/// The store does not answer.
pub async fn list(app: &App) -> Result<Vec<Listed>, Error> {
    let mut stored = app.templates.store().templates().await?;
    stored.sort_by_key(|template| template.name);
    Ok(stored.into_iter().map(Listed::from).collect())
}

/// One of them.
///
/// # Errors
/// `NotFound` with `template_not_found`.
pub async fn get(app: &App, name: TemplateName) -> Result<Listed, Error> {
    let stored = app.templates.store().templates().await?;
    let found = stored.into_iter().find(|template| template.name == name);
    found.map(Listed::from).ok_or_else(|| Error::not_found("template_not_found", "template"))
}

/// Sets one: it holds for whatever is sent from now on.
///
/// # Errors
/// `invalid_template`; `NotFound` with `subscription_not_found`; `Conflict` with `subscription_ended` or
/// `too_many_templates`; `not_on_this_host` for a subscription's, where one text goes to all.
pub async fn set(app: &App, name: TemplateName, source: TemplateSource) -> Result<Listed, Error> {
    Template::parse(source.clone(), protocol_of(app, name).await?)?;
    app.templates.store().set_template(name, source, app.clock.now()).await?;
    app.templates.load().await?;
    tracing::info!(template = %name, "template set");
    get(app, name).await
}

/// Takes one away: the built-in texts stand again, or those of its protocol's template.
///
/// # Errors
/// `NotFound` with `subscription_not_found`.
pub async fn reset(app: &App, name: TemplateName) -> Result<(), Error> {
    app.templates.store().reset_template(name).await?;
    app.templates.load().await?;
    tracing::info!(template = %name, "template taken away");
    Ok(())
}

/// Over which protocol its messages go.
async fn protocol_of(app: &App, name: TemplateName) -> Result<Protocol, Error> {
    match name {
        TemplateName::Protocol(protocol) => Ok(protocol),
        TemplateName::Subscription(id) => Ok(subscriptions::get(app, id).await?.endpoint.protocol()),
    }
}
