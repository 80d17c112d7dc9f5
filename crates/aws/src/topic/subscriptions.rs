//! Making, changing and ending SNS's subscriptions.

use std::collections::HashMap;

use application::ports::{NewSubscription, Subscribed};
use application::{Error, ErrorKind};
use aws_sdk_sns::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sns::operation::set_subscription_attributes::SetSubscriptionAttributesError;
use aws_sdk_sns::operation::subscribe::SubscribeError;
use domain::Timestamp;
use domain::attributes::AttributesChange;
use domain::endpoint::Endpoint;
use domain::filter_policy::{FilterPolicy, FilterPolicyScope};
use domain::subscription::{End, EndReason, Subscription, SubscriptionId, SubscriptionState};

use super::Topic;
use super::failure::{ErrorClass, explain, failure};
use super::identity::{sns_protocol, subscription_id};
use super::listing::{ListedSubscription, SnsAttributes, SnsStatus};
use super::policy::{
    POLICY, SCOPE, SnsFilterPolicy, only_policy, require_carried, require_none, sns_attributes,
};

impl Topic {
    /// Subscribes an endpoint, unless it is subscribed already. Where it is and pending, only SNS knows its policy: it
    /// is asked by subscribing again, which sends the confirmation request again.
    pub(super) async fn subscribe_endpoint(&self, new: NewSubscription) -> Result<Subscribed, Error> {
        require_supported(&new.endpoint)?;
        let (policy, protocol) = (only_policy(new.attributes)?, new.endpoint.protocol());
        policy.as_ref().map_or(Ok(()), |policy| require_carried(policy, protocol))?;
        let id = subscription_id(&self.arn, &new.endpoint);
        let known = self.find(id).await?.filter(|listed| listed.status != SnsStatus::Deleted);
        if let Some(listed) = &known
            && let SnsStatus::Confirmed(arn) = &listed.status
            && let Some(seen) = self.get_attributes(arn).await?
            && !seen.pending
        {
            let same = seen.policy == SnsFilterPolicy::Supported(policy);
            let found = listed.clone().subscription(seen.policy);
            return Ok(if same { Subscribed::Existing(found) } else { Subscribed::Differs(found) });
        }
        let address =
            known.as_ref().map_or_else(|| new.endpoint.to_string(), |listed| listed.address.clone());
        let attributes = policy.as_ref().map(sns_attributes);
        match self.call_subscribe(&new.endpoint, &address, attributes).await {
            Ok(arn) => {
                let created = self
                    .created(
                        ListedSubscription {
                            id,
                            endpoint: new.endpoint,
                            address,
                            status: SnsStatus::Pending,
                        },
                        arn,
                    )
                    .await?;
                Ok(if known.is_some() { Subscribed::Existing(created) } else { Subscribed::Created(created) })
            }
            Err(error) => match known {
                Some(listed) if differs(&error) => {
                    Ok(Subscribed::Differs(listed.subscription(SnsFilterPolicy::Supported(None))))
                }
                _ => Err(unsubscribable(&error)),
            },
        }
    }

    /// Sends the confirmation request to a pending subscription again.
    pub(super) async fn resubscribe(&self, id: SubscriptionId) -> Result<Subscription, Error> {
        let (listed, _) = self.find_existing(id).await?;
        if let SnsStatus::Confirmed(_) = &listed.status {
            let message = "The subscription is confirmed already";
            return Err(Error::new(ErrorKind::Conflict, "already_confirmed", message));
        }
        match self.call_subscribe(&listed.endpoint, &listed.address, None).await {
            Ok(arn) => self.created(listed, arn).await,
            Err(error) if differs(&error) => {
                let message = "SNS repeats a confirmation request only with the subscription's filter policy: subscribe again with it";
                Err(Error::new(ErrorKind::Conflict, "subscription_differs", message).at_field("filterPolicy"))
            }
            Err(error) => Err(unsubscribable(&error)),
        }
    }

    /// Changes what SNS keeps of a subscription's attributes: its filter policy.
    pub(super) async fn change(
        &self,
        id: SubscriptionId,
        change: AttributesChange,
    ) -> Result<Subscription, Error> {
        let AttributesChange {
            filter_policy,
            max_receives_per_second,
            escalation,
            fields,
            language,
            time_zone,
        } = change;
        require_none("maxReceivesPerSecond", max_receives_per_second.flatten().is_none())?;
        require_none("escalation", escalation.flatten().is_none())?;
        require_none("fields", fields.flatten().is_none())?;
        require_none("language", language.flatten().is_none())?;
        require_none("timeZone", time_zone.flatten().is_none())?;
        let Some(policy) = filter_policy else {
            let (listed, policy) = self.find_existing(id).await?;
            return Ok(listed.subscription(policy));
        };
        self.change_policy(id, policy).await
    }

    /// Sets or removes the filter policy of a confirmed subscription. SNS takes policy and scope one after the other, and
    /// refuses a nested policy under the scope `MessageAttributes`: what does not nest is under both scopes in between.
    async fn change_policy(
        &self,
        id: SubscriptionId,
        policy: Option<FilterPolicy>,
    ) -> Result<Subscription, Error> {
        let (listed, _) = self.find_existing(id).await?;
        let protocol = listed.endpoint.protocol();
        policy.as_ref().map_or(Ok(()), |policy| require_carried(policy, protocol))?;
        let SnsStatus::Confirmed(arn) = &listed.status else {
            return Err(pending("SNS changes the filter policy of a confirmed subscription only"));
        };
        let wrong =
            "SNS does not take this filter policy: its numbers may range from -1000000000 to 1000000000";
        let steps = match &policy {
            None => vec![(POLICY, "")],
            Some(policy) if policy.scope() == FilterPolicyScope::MessageBody => {
                vec![(SCOPE, policy.scope().name()), (POLICY, policy.as_str())]
            }
            Some(policy) => vec![(POLICY, policy.as_str()), (SCOPE, policy.scope().name())],
        };
        for (name, value) in steps {
            self.set(arn, name, value).await.map_err(|error| unset(&error, wrong))?;
        }
        Ok(listed.subscription(SnsFilterPolicy::Supported(policy)))
    }

    /// Ends a confirmed subscription. One that ended is let be, as long as SNS remembers it.
    pub(super) async fn end(
        &self,
        id: SubscriptionId,
        reason: EndReason,
        at: Timestamp,
    ) -> Result<Subscription, Error> {
        let (listed, policy) = self.resolved(self.find(id).await?.ok_or_else(not_found)?).await?;
        let arn = match &listed.status {
            SnsStatus::Deleted => return Ok(listed.subscription(policy)),
            SnsStatus::Pending => return Err(pending("SNS ends a confirmed subscription only")),
            SnsStatus::Confirmed(arn) => arn.clone(),
        };
        let before = listed.subscription(policy);
        match self.client.unsubscribe().subscription_arn(arn).send().await {
            Err(error) if ErrorClass::of(&error) != ErrorClass::NotFound => Err(failure(&error)),
            _ => {
                Ok(Subscription { state: SubscriptionState::Ended, end: Some(End { at, reason }), ..before })
            }
        }
    }

    /// The subscription of that id, which has not ended, and what it wants.
    async fn find_existing(
        &self,
        id: SubscriptionId,
    ) -> Result<(ListedSubscription, SnsFilterPolicy), Error> {
        let (listed, policy) = self.resolved(self.find(id).await?.ok_or_else(not_found)?).await?;
        if listed.status == SnsStatus::Deleted {
            return Err(Error::new(ErrorKind::Conflict, "subscription_ended", "The subscription has ended"));
        }
        Ok((listed, policy))
    }

    /// Subscribes the endpoint, whose owner SNS asks, and returns the subscription's ARN.
    async fn call_subscribe(
        &self,
        endpoint: &Endpoint,
        address: &str,
        attributes: Option<HashMap<String, String>>,
    ) -> Result<Option<String>, SdkError<SubscribeError>> {
        let call =
            self.client.subscribe().topic_arn(&*self.arn).protocol(sns_protocol(endpoint)).endpoint(address);
        let call = call.set_attributes(attributes).return_subscription_arn(true);
        Ok(call.send().await?.subscription_arn)
    }

    /// A subscription that was asked for just now, as SNS has it: some protocols need no confirmation.
    async fn created(&self, listed: ListedSubscription, arn: Option<String>) -> Result<Subscription, Error> {
        let arn = arn.ok_or_else(|| Error::internal("SNS made a subscription without an ARN"))?;
        let seen = self
            .get_attributes(&arn)
            .await?
            .unwrap_or(SnsAttributes { pending: true, policy: SnsFilterPolicy::Supported(None) });
        let status = if seen.pending { SnsStatus::Pending } else { SnsStatus::Confirmed(arn) };
        Ok(ListedSubscription { status, ..listed }.subscription(seen.policy))
    }

    async fn set(
        &self,
        arn: &str,
        name: &str,
        value: &str,
    ) -> Result<(), SdkError<SetSubscriptionAttributesError>> {
        let call = self.client.set_subscription_attributes().subscription_arn(arn).attribute_name(name);
        call.attribute_value(value).send().await.map(drop)
    }
}

/// Refuses an endpoint that SNS has no protocol for, or cannot reach.
fn require_supported(endpoint: &Endpoint) -> Result<(), Error> {
    let invalid = |code, field, message| Err(Error::new(ErrorKind::Invalid, code, message).at_field(field));
    match endpoint {
        Endpoint::Chat(_) => {
            let message = "SNS does not deliver to a chat; on one machine Orderbell does";
            invalid("channel_not_configured", "protocol", message)
        }
        Endpoint::Email(address) if !address.has_full_domain() => {
            let message = "endpoint must have a full domain, such as jo@example.com: SNS knows no other";
            invalid("endpoint_not_allowed", "endpoint", message)
        }
        _ => Ok(()),
    }
}

fn not_found() -> Error {
    Error::not_found("subscription_not_found", "subscription")
}

/// What SNS cannot do as long as a subscription is pending.
fn pending(why: &str) -> Error {
    let message = format!("{why}; without a confirmation, this one is gone after 48 hours");
    Error::new(ErrorKind::Conflict, "subscription_pending", message)
}

/// Whether SNS has the endpoint subscribed with other attributes.
fn differs(error: &SdkError<SubscribeError>) -> bool {
    error.message().is_some_and(|message| message.contains("already exists with different attributes"))
}

/// The failure of a subscription to be made.
fn unsubscribable(error: &SdkError<SubscribeError>) -> Error {
    if ErrorClass::of(error) != ErrorClass::Refused {
        return failure(error);
    }
    let message = "SNS does not take this endpoint or its filter policy, whose numbers may range from -1000000000 to \
                   1000000000";
    Error::new(ErrorKind::Invalid, "subscription_refused", message).because(explain(error))
}

/// The failure of a filter policy to be set.
fn unset(error: &SdkError<SetSubscriptionAttributesError>, wrong: &str) -> Error {
    match ErrorClass::of(error) {
        ErrorClass::Refused => Error::new(ErrorKind::Invalid, "invalid_filter_policy", wrong)
            .at_field("filterPolicy")
            .because(explain(error)),
        ErrorClass::NotFound => not_found(),
        _ => failure(error),
    }
}

#[cfg(test)]
mod tests {
    use domain::endpoint::Protocol;

    use super::*;

    #[test]
    fn sns_is_not_asked_for_a_chat_or_a_domain_of_one_machine() {
        for (protocol, text, field) in [
            (Protocol::Chat, "https://chat.example/hook", Some("protocol")),
            (Protocol::Email, "root@localhost", Some("endpoint")),
            (Protocol::Email, "jo@mailhost", Some("endpoint")),
            (Protocol::Email, "jo@example.com", None),
            (Protocol::Sms, "+4915112345678", None),
        ] {
            let endpoint = Endpoint::parse(protocol, text).unwrap();
            let refused = require_supported(&endpoint).err();
            assert_eq!(refused.and_then(|error| error.field).as_deref(), field, "{text}");
        }
    }
}
