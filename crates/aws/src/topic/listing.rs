//! Finding and showing SNS's subscriptions.

use application::Error;
use application::ports::{Page, PageRequest, SubscriptionQuery};
use aws_sdk_sns::types::Subscription as Row;
use domain::attributes::Attributes;
use domain::endpoint::Endpoint;
use domain::subscription::{Subscription, SubscriptionId, SubscriptionState};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::cursor::{Place, invalid_cursor};
use super::failure::{Fault, failure};
use super::identity::{endpoint, subscription_id};
use super::policy::Wanted;
use super::{CONCURRENCY, Topic};

/// A subscription as SNS lists it.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub(super) id: SubscriptionId,
    pub(super) endpoint: Endpoint,
    /// The endpoint as SNS writes it.
    pub(super) address: String,
    pub(super) standing: Standing,
}

/// How a subscription stands with SNS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// It waits for its confirmation, and has no ARN to be named by.
    Pending,
    /// It has this ARN. Where SNS lists one that waits by its ARN, its attributes say that it waits.
    Confirmed(String),
    /// It was ended a while ago, and SNS still lists it.
    Deleted,
}

/// What SNS says of a subscription that has an ARN.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Seen {
    pub(super) pending: bool,
    pub(super) wanted: Wanted,
}

impl Listed {
    /// `None` for a subscription that is none of ours, such as a queue's.
    fn of(topic: &str, row: Row) -> Option<Self> {
        let address = row.endpoint?;
        let endpoint = endpoint(&row.protocol?, &address)?;
        // The two words are SNS's (API reference, `ListSubscriptionsByTopic`).
        let standing = match row.subscription_arn?.as_str() {
            "Deleted" => Standing::Deleted,
            arn if arn.starts_with("arn:") => Standing::Confirmed(arn.to_owned()),
            _ => Standing::Pending,
        };
        Some(Self { id: subscription_id(topic, &endpoint), endpoint, address, standing })
    }

    pub(super) fn state(&self) -> SubscriptionState {
        match self.standing {
            Standing::Pending => SubscriptionState::Pending,
            Standing::Confirmed(_) => SubscriptionState::Confirmed,
            Standing::Deleted => SubscriptionState::Ended,
        }
    }

    /// The subscription, without what SNS does not tell.
    pub(super) fn subscription(self, wanted: Wanted) -> Subscription {
        let state = self.state();
        let filter_policy = match wanted {
            Wanted::Ours(policy) => policy,
            Wanted::Foreign => {
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
    pub(super) async fn find(&self, id: SubscriptionId) -> Result<Option<Listed>, Error> {
        let (mut token, mut ended) = (None, None);
        loop {
            let (rows, next) = self.rows(token).await?;
            for listed in rows.into_iter().filter_map(|row| Listed::of(&self.arn, row)) {
                match listed.standing {
                    _ if listed.id != id => {}
                    Standing::Deleted => ended = Some(listed),
                    Standing::Pending | Standing::Confirmed(_) => return Ok(Some(listed)),
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
        let (mut found, mut place) = (Vec::new(), Place::read(query.page.cursor.as_deref())?);
        let next = loop {
            let (rows, token) = self.rows(place.token.clone()).await?;
            let mut rows = rows.into_iter().skip(place.given);
            while found.len() < limit && rows.len() > 0 {
                let chunk: Vec<_> = rows.by_ref().take(limit - found.len()).collect();
                place.given += chunk.len();
                found.extend(self.described(chunk, &query).await?);
            }
            if rows.len() > 0 {
                break Some(place);
            }
            match token {
                Some(token) => place = Place { token: Some(token), given: 0 },
                None => break None,
            }
            if found.len() == limit {
                break Some(place);
            }
        };
        let next = next.map(|place| place.to_cursor());
        Ok(Page { items: found, unreadable: Vec::new(), next })
    }

    /// Those of the rows that are wanted, with what SNS says of each.
    async fn described(&self, rows: Vec<Row>, query: &SubscriptionQuery) -> Result<Vec<Subscription>, Error> {
        let listed = rows.into_iter().filter_map(|row| Listed::of(&self.arn, row));
        let listed: Vec<_> = listed
            .filter(|listed| query.protocol.is_none_or(|protocol| listed.endpoint.protocol() == protocol))
            .collect();
        let described = stream::iter(listed).map(|listed| self.describe(listed)).buffered(CONCURRENCY);
        let mut described: Vec<_> = described.try_collect().await?;
        described.retain(|subscription| query.state.is_none_or(|state| subscription.state == state));
        Ok(described)
    }

    /// A subscription with what SNS says of it.
    pub(super) async fn describe(&self, listed: Listed) -> Result<Subscription, Error> {
        let (listed, wanted) = self.settled(listed).await?;
        Ok(listed.subscription(wanted))
    }

    /// How a subscription stands and what it wants, for which SNS is asked about one that has an ARN.
    pub(super) async fn settled(&self, listed: Listed) -> Result<(Listed, Wanted), Error> {
        let Standing::Confirmed(arn) = &listed.standing else { return Ok((listed, Wanted::Ours(None))) };
        Ok(match self.look(arn).await? {
            Some(seen) if seen.pending => (Listed { standing: Standing::Pending, ..listed }, seen.wanted),
            Some(seen) => (listed, seen.wanted),
            None => (Listed { standing: Standing::Deleted, ..listed }, Wanted::Ours(None)),
        })
    }

    /// What SNS says of the subscription of that ARN; `None` if it is gone.
    pub(super) async fn look(&self, arn: &str) -> Result<Option<Seen>, Error> {
        match self.client.get_subscription_attributes().subscription_arn(arn).send().await {
            Ok(answer) => {
                let attributes = answer.attributes.unwrap_or_default();
                let pending =
                    attributes.get("PendingConfirmation").is_some_and(|is| is.eq_ignore_ascii_case("true"));
                Ok(Some(Seen { pending, wanted: Wanted::of(&attributes) }))
            }
            Err(error) if Fault::of(&error) == Fault::NotFound => Ok(None),
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
            Err(error) if !ours && Fault::of(&error) == Fault::Refused => Err(invalid_cursor()),
            Err(error) => Err(failure(&error)),
        }
    }
}
