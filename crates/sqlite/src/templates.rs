//! What operators wrote in place of what the program says of an order.

use application::ports::{MAX_TEMPLATES, StoredTemplate, Templates};
use application::{Error, ErrorKind};
use async_trait::async_trait;
use domain::Timestamp;
use domain::endpoint::Protocol;
use domain::subscription::{SubscriptionId, SubscriptionState};
use domain::template::{TemplateName, TemplateSource};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, params};

use crate::Store;
use crate::columns::{micros, time, uuid};
use crate::failure::{Failure, unreadable};
use crate::subscriptions::subscribe::subscription_ended;
use crate::subscriptions::transition::find;

/// As many at most as can be set, whatever wrote them.
const ALL: &str = "SELECT templates.protocol, subject, text, html, set_at, subscriptions.id, \
     subscriptions.protocol AS subscription_protocol FROM templates \
     LEFT JOIN subscriptions ON subscriptions.seq = templates.subscription ORDER BY templates.seq LIMIT ?";
const OTHERS: &str = "SELECT count(*) FROM templates WHERE protocol IS NOT ?1 OR subscription IS NOT ?2";
const SET: &str = "INSERT OR REPLACE INTO templates (protocol, subscription, subject, text, html, set_at) \
     VALUES (?, ?, ?, ?, ?, ?)";

#[async_trait]
impl Templates for Store {
    async fn templates(&self) -> Result<Vec<StoredTemplate>, Error> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(ALL).map_err(unreadable)?;
            let found = statement.query_map([MAX_TEMPLATES], |row| Ok(template(row))).map_err(unreadable)?;
            let found = found.collect::<rusqlite::Result<Vec<_>>>().map_err(unreadable)?;
            let read = |template: rusqlite::Result<_>| {
                template.inspect_err(|error| tracing::warn!(%error, "a template cannot be read")).ok()
            };
            Ok(found.into_iter().filter_map(read).collect())
        })
        .await
    }

    async fn set_template(
        &self,
        name: TemplateName,
        source: TemplateSource,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.write(1, move |transaction| set(transaction.connection, name, &source, now)).await
    }

    async fn reset_template(&self, name: TemplateName) -> Result<(), Error> {
        self.write(1, move |transaction| reset(transaction.connection, name)).await
    }
}

/// The template of a row, with what cannot be read of its texts shown as such: it is found again where it is listed.
fn template(row: &Row<'_>) -> rusqlite::Result<StoredTemplate> {
    let part = |column: &str| -> rusqlite::Result<Option<String>> {
        let text = row.get_ref(column)?.as_bytes_or_null()?;
        Ok(text.map(|text| String::from_utf8_lossy(text).into_owned()))
    };
    let source = TemplateSource { subject: part("subject")?, text: part("text")?, html: part("html")? };
    let protocol = |column: &str| {
        let unknown = |_| rusqlite::Error::InvalidColumnName(column.to_owned());
        Protocol::parse(&row.get::<_, String>(column)?).map_err(unknown)
    };
    let (name, protocol) = match row.get_ref("protocol")? {
        ValueRef::Null => {
            let subscription = SubscriptionId(uuid(row, "id")?);
            (TemplateName::Subscription(subscription), protocol("subscription_protocol")?)
        }
        _ => (TemplateName::Protocol(protocol("protocol")?), protocol("protocol")?),
    };
    Ok(StoredTemplate { name, protocol, source, set_at: time(row, "set_at").unwrap_or_default() })
}

/// The columns that name it.
fn key(connection: &Connection, name: TemplateName) -> Result<(Option<&'static str>, Option<i64>), Failure> {
    Ok(match name {
        TemplateName::Protocol(protocol) => (Some(protocol.name()), None),
        TemplateName::Subscription(id) => {
            let found = find(connection, id)?;
            if found.subscription.state == SubscriptionState::Ended {
                return Err(subscription_ended().into());
            }
            (None, Some(found.seq))
        }
    })
}

fn set(
    connection: &Connection,
    name: TemplateName,
    source: &TemplateSource,
    now: Timestamp,
) -> Result<(), Failure> {
    let (protocol, subscription) = key(connection, name)?;
    let count = |row: &Row<'_>| row.get::<_, u32>(0);
    let others = connection.prepare_cached(OTHERS)?.query_row(params![protocol, subscription], count)?;
    if others >= MAX_TEMPLATES {
        let message =
            format!("There are {MAX_TEMPLATES} templates, as many as are kept: take one away first");
        return Err(Error::new(ErrorKind::Conflict, "too_many_templates", message).into());
    }
    let TemplateSource { subject, text, html } = source;
    let row = params![protocol, subscription, subject, text, html, micros(now)];
    connection.prepare_cached(SET)?.execute(row)?;
    Ok(())
}

fn reset(connection: &Connection, name: TemplateName) -> Result<(), Failure> {
    match name {
        TemplateName::Protocol(protocol) => {
            let sql = "DELETE FROM templates WHERE protocol = ?";
            connection.prepare_cached(sql)?.execute([protocol.name()])?;
        }
        TemplateName::Subscription(id) => forget(connection, find(connection, id)?.seq)?,
    }
    Ok(())
}

/// Takes away that of a subscription, by its `seq`.
pub(crate) fn forget(connection: &Connection, subscription: i64) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM templates WHERE subscription = ?")?.execute([subscription])?;
    Ok(())
}
