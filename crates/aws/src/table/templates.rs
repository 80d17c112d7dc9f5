//! Templates, one for each protocol that SNS has: an item for each, under a key that no order has.

use application::ports::{StoredTemplate, Templates};
use application::{Error, ErrorKind};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use domain::Timestamp;
use domain::endpoint::Protocol;
use domain::order::OrderId;
use domain::template::{TemplateName, TemplateSource};

use super::Table;
use super::failure::unread;
use super::item::{self, Item, KIND};

/// A template's parts, as JSON; missing where there is none.
pub(super) const TEMPLATE: &str = "template";
/// When it was set, in milliseconds since 1970-01-01 UTC.
pub(super) const SET_AT: &str = "setAt";
/// The protocols that SNS sends a text of its own over.
const PROTOCOLS: [Protocol; 3] = [Protocol::Email, Protocol::Sms, Protocol::Webhook];

#[async_trait]
impl Templates for Table {
    async fn templates(&self) -> Result<Vec<StoredTemplate>, Error> {
        let keys = PROTOCOLS.map(|protocol| Item::from([(self.key.to_string(), key(protocol))]));
        let wanted = KeysAndAttributes::builder().set_keys(Some(keys.into())).consistent_read(true);
        let wanted = wanted.build().map_err(Error::internal)?;
        let found = self.read_all(wanted, OrderId::new(self.clock.now(), [0; 10])).await?;
        Ok(found.iter().filter_map(|item| template(item, &self.key)).collect())
    }

    async fn set_template(
        &self,
        name: TemplateName,
        source: TemplateSource,
        now: Timestamp,
    ) -> Result<(), Error> {
        let protocol = of_protocol(name)?;
        if source.subject.is_some() || source.html.is_some() {
            let message = "SNS sends mails as text, under one subject: a template has text alone here";
            return Err(Error::new(ErrorKind::NotOnThisHost, "not_on_this_host", message));
        }
        let source = serde_json::to_string(&source).map_err(Error::internal)?;
        let attributes = [
            (TEMPLATE.to_owned(), item::text(source)),
            (SET_AT.to_owned(), AttributeValue::N(now.as_millisecond().to_string())),
        ];
        self.put_template(protocol, attributes.into()).await
    }

    async fn reset_template(&self, name: TemplateName) -> Result<(), Error> {
        self.put_template(of_protocol(name)?, Item::new()).await
    }
}

impl Table {
    async fn put_template(&self, protocol: Protocol, mut item: Item) -> Result<(), Error> {
        item.insert(self.key.to_string(), key(protocol));
        item.insert(KIND.to_owned(), item::text(TEMPLATE));
        let put = self.client.put_item().table_name(&*self.name).set_item(Some(item));
        put.send().await.map(drop).map_err(|error| unread(&error))
    }
}

fn of_protocol(name: TemplateName) -> Result<Protocol, Error> {
    match name {
        TemplateName::Protocol(protocol) if PROTOCOLS.contains(&protocol) => Ok(protocol),
        TemplateName::Protocol(_) | TemplateName::Subscription(_) => {
            let message =
                "SNS sends one text to all over a protocol: a template is for email, sms or webhook here";
            Err(Error::new(ErrorKind::NotOnThisHost, "not_on_this_host", message))
        }
    }
}

/// The template in an item; `None`: it was taken away, or is damaged.
fn template(item: &Item, key_name: &str) -> Option<StoredTemplate> {
    let protocol = PROTOCOLS.into_iter().find(|protocol| item.get(key_name) == Some(&key(*protocol)))?;
    let source = item.get(TEMPLATE)?.as_s().ok()?;
    let source = serde_json::from_str(source)
        .inspect_err(|error| tracing::warn!(%protocol, %error, "a template cannot be read"));
    let set_at = item.get(SET_AT).and_then(|at| at.as_n().ok()?.parse().ok());
    Some(StoredTemplate {
        name: TemplateName::Protocol(protocol),
        protocol,
        source: source.ok()?,
        set_at: set_at.and_then(|at| Timestamp::from_millisecond(at).ok()).unwrap_or_default(),
    })
}

/// No order's key, which is a UUID, and no record's or lease's.
fn key(protocol: Protocol) -> AttributeValue {
    item::text(format!("template#{protocol}"))
}
