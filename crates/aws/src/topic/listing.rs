//! Finding and showing SNS's subscriptions.

use application::ports::{Page, PageRequest, SubscriptionQuery};
use application::{Error, ErrorKind};
use aws_sdk_sns::types::Subscription as Row;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use domain::attributes::Attributes;
use domain::endpoint::Endpoint;
use domain::subscription::{Subscription, SubscriptionId, SubscriptionState};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::failure::{ErrorClass, failure};
use super::identity::{endpoint, subscription_id};
use super::policy::SnsFilterPolicy;
use super::{CONCURRENCY, Topic};

/// A subscription as SNS lists it.
#[derive(Debug, Clone)]
pub(super) struct ListedSubscription {
    pub(super) id: SubscriptionId,
    pub(super) endpoint: Endpoint,
    /// The endpoint as SNS writes it.
    pub(super) address: String,
    pub(super) status: SnsStatus,
}

/// The status of a subscription with SNS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SnsStatus {
    /// It waits for its confirmation, and has no ARN to be named by.
    Pending,
    /// It has this ARN. Where SNS lists one that waits by its ARN, its attributes say that it waits.
    Confirmed(String),
    /// It was ended a while ago, and SNS still lists it.
    Deleted,
}

/// The attributes of a subscription that has an ARN.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SnsAttributes {
    pub(super) pending: bool,
    pub(super) policy: SnsFilterPolicy,
}

impl ListedSubscription {
    /// `None` for a subscription that is none of ours, such as a queue's.
    fn of(topic: &str, row: Row) -> Option<Self> {
        let address = row.endpoint?;
        let endpoint = endpoint(&row.protocol?, &address)?;
        // The two words are SNS's (API reference, `ListSubscriptionsByTopic`).
        let status = match row.subscription_arn?.as_str() {
            "Deleted" => SnsStatus::Deleted,
            arn if arn.starts_with("arn:") => SnsStatus::Confirmed(arn.to_owned()),
            _ => SnsStatus::Pending,
        };
        Some(Self { id: subscription_id(topic, &endpoint), endpoint, address, status })
    }

    pub(super) fn state(&self) -> SubscriptionState {
        match self.status {
            SnsStatus::Pending => SubscriptionState::Pending,
            SnsStatus::Confirmed(_) => SubscriptionState::Confirmed,
            SnsStatus::Deleted => SubscriptionState::Ended,
        }
    }

    /// The subscription, without what SNS does not tell.
    pub(super) fn subscription(self, policy: SnsFilterPolicy) -> Subscription {
        let state = self.state();
        let filter_policy = match policy {
            SnsFilterPolicy::Supported(policy) => policy,
            SnsFilterPolicy::Unsupported => {
                tracing::warn!(subscription_id = %self.id, "a filter policy set in SNS itself cannot be shown");
                None
            }
        };
        Subscription {
            id: self.id,
            endpoint: self.endpoint,
            attributes: Attributes::with_filter_policy(filter_policy),
            state,
            generation: 1,
            created_at: None,
            confirmation_expires_at: None,
            confirmation: None,
            failure_streak: None,
            suspension: None,
            end: None,
            secrets: None,
        }
    }
}

impl Topic {
    /// The subscription of that id; one that stands before one that ended.
    pub(super) async fn find(&self, id: SubscriptionId) -> Result<Option<ListedSubscription>, Error> {
        let (mut token, mut ended) = (None, None);
        loop {
            let (rows, next) = self.rows(token).await?;
            for listed in rows.into_iter().filter_map(|row| ListedSubscription::of(&self.arn, row)) {
                match listed.status {
                    _ if listed.id != id => {}
                    SnsStatus::Deleted => ended = Some(listed),
                    SnsStatus::Pending | SnsStatus::Confirmed(_) => return Ok(Some(listed)),
                }
            }
            if next.is_none() {
                return Ok(ended);
            }
            token = next;
        }
    }

    /// A page of subscriptions, in SNS's order.
    pub(super) async fn list(&self, query: SubscriptionQuery) -> Result<Page<Subscription>, Error> {
        let limit = query.page.limit.clamp(1, PageRequest::MAX);
        let (mut found, mut cursor) = (Vec::new(), SnsCursor::read(query.page.cursor.as_deref())?);
        let next = loop {
            let (rows, token) = self.rows(cursor.token.clone()).await?;
            let mut rows = rows.into_iter().skip(cursor.returned);
            while found.len() < limit && rows.len() > 0 {
                let chunk: Vec<_> = rows.by_ref().take(limit - found.len()).collect();
                cursor.returned += chunk.len();
                found.extend(self.describe_all(chunk, &query).await?);
            }
            if rows.len() > 0 {
                break Some(cursor);
            }
            match token {
                Some(token) => cursor = SnsCursor { token: Some(token), returned: 0 },
                None => break None,
            }
            if found.len() == limit {
                break Some(cursor);
            }
        };
        let next = next.map(|cursor| cursor.to_cursor());
        Ok(Page { items: found, unreadable: Vec::new(), next })
    }

    /// Those of the rows that are wanted, with what SNS says of each.
    async fn describe_all(
        &self,
        rows: Vec<Row>,
        query: &SubscriptionQuery,
    ) -> Result<Vec<Subscription>, Error> {
        let listed = rows.into_iter().filter_map(|row| ListedSubscription::of(&self.arn, row));
        let listed: Vec<_> = listed
            .filter(|listed| query.protocol.is_none_or(|protocol| listed.endpoint.protocol() == protocol))
            .collect();
        let described = stream::iter(listed).map(|listed| self.describe(listed)).buffered(CONCURRENCY);
        let mut described: Vec<_> = described.try_collect().await?;
        described.retain(|subscription| query.state.is_none_or(|state| subscription.state == state));
        Ok(described)
    }

    /// A subscription with what SNS says of it.
    pub(super) async fn describe(&self, listed: ListedSubscription) -> Result<Subscription, Error> {
        let (listed, policy) = self.resolved(listed).await?;
        Ok(listed.subscription(policy))
    }

    /// The current status and filter policy of a subscription, for which SNS is asked about one that has an ARN.
    pub(super) async fn resolved(
        &self,
        listed: ListedSubscription,
    ) -> Result<(ListedSubscription, SnsFilterPolicy), Error> {
        let SnsStatus::Confirmed(arn) = &listed.status else {
            return Ok((listed, SnsFilterPolicy::Supported(None)));
        };
        Ok(match self.get_attributes(arn).await? {
            Some(seen) if seen.pending => {
                (ListedSubscription { status: SnsStatus::Pending, ..listed }, seen.policy)
            }
            Some(seen) => (listed, seen.policy),
            None => (
                ListedSubscription { status: SnsStatus::Deleted, ..listed },
                SnsFilterPolicy::Supported(None),
            ),
        })
    }

    /// The attributes of the subscription of that ARN; `None` if it is gone.
    pub(super) async fn get_attributes(&self, arn: &str) -> Result<Option<SnsAttributes>, Error> {
        match self.client.get_subscription_attributes().subscription_arn(arn).send().await {
            Ok(answer) => {
                let attributes = answer.attributes.unwrap_or_default();
                let pending =
                    attributes.get("PendingConfirmation").is_some_and(|is| is.eq_ignore_ascii_case("true"));
                Ok(Some(SnsAttributes { pending, policy: SnsFilterPolicy::of(&attributes) }))
            }
            Err(error) if ErrorClass::of(&error) == ErrorClass::NotFound => Ok(None),
            Err(error) => Err(failure(&error)),
        }
    }

    /// One of SNS's own pages, of up to 100, and the token of the next.
    async fn rows(&self, token: Option<String>) -> Result<(Vec<Row>, Option<String>), Error> {
        let ours = token.is_none();
        let call = self.client.list_subscriptions_by_topic().topic_arn(&*self.arn).set_next_token(token);
        match call.send().await {
            Ok(page) => {
                Ok((page.subscriptions.unwrap_or_default(), page.next_token.filter(|next| !next.is_empty())))
            }
            Err(error) if !ours && ErrorClass::of(&error) == ErrorClass::Refused => Err(invalid_cursor()),
            Err(error) => Err(failure(&error)),
        }
    }
}

/// Where the next page of a list begins: SNS's pages are of 100, ours of any size.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct SnsCursor {
    /// SNS's token of its page; `None` for the first.
    token: Option<String>,
    /// How many rows of that page were returned already.
    returned: usize,
}

impl SnsCursor {
    fn read(cursor: Option<&str>) -> Result<Self, Error> {
        let Some(cursor) = cursor else { return Ok(Self::default()) };
        let read = || {
            let (returned, token) = cursor.split_once('.')?;
            let token = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
            Some(Self {
                token: Some(token).filter(|token| !token.is_empty()),
                returned: returned.parse().ok()?,
            })
        };
        read().ok_or_else(invalid_cursor)
    }

    fn to_cursor(&self) -> String {
        format!(
            "{}.{}",
            self.returned,
            BASE64_URL_SAFE_NO_PAD.encode(self.token.as_deref().unwrap_or_default())
        )
    }
}

fn invalid_cursor() -> Error {
    Error::new(ErrorKind::Invalid, "invalid_cursor", "cursor is not one of this list")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_found_again_by_a_cursor_that_stands_in_a_url() {
        for page in [SnsCursor::default(), SnsCursor { token: Some("AAF/+x==".to_owned()), returned: 42 }] {
            let cursor = page.to_cursor();
            assert!(cursor.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)));
            assert_eq!(SnsCursor::read(Some(&cursor)).unwrap(), page);
        }
        assert_eq!(SnsCursor::read(None).unwrap(), SnsCursor::default());
    }

    #[test]
    fn a_bad_cursor_is_refused() {
        for cursor in ["", "x", "1", "-1.", "1.!", "1._w"] {
            assert_eq!(SnsCursor::read(Some(cursor)).unwrap_err().code, "invalid_cursor", "{cursor}");
        }
    }
}
