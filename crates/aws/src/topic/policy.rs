//! Filter policies as SNS keeps them, in its words, which are ours.

use std::collections::HashMap;

use application::{Error, ErrorKind};
use domain::attributes::{Attributes, SubscribedTo};
use domain::endpoint::Protocol;
use domain::filter_policy::{FilterPolicy, FilterPolicyScope};

use super::attributes::is_carried;

pub(super) const POLICY: &str = "FilterPolicy";
pub(super) const SCOPE: &str = "FilterPolicyScope";

/// The filter policy of a subscription of SNS.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum SnsFilterPolicy {
    /// All, or those that a policy of ours wants.
    Supported(Option<FilterPolicy>),
    /// What somebody set in SNS itself and our policies cannot say.
    Unsupported,
}

impl SnsFilterPolicy {
    /// Reads it from a subscription's attributes.
    pub(super) fn of(attributes: &HashMap<String, String>) -> Self {
        let Some(text) = attributes.get(POLICY).filter(|text| !text.is_empty()) else {
            return Self::Supported(None);
        };
        let scope = attributes
            .get(SCOPE)
            .map_or(Ok(FilterPolicyScope::default()), |name| FilterPolicyScope::parse(name));
        match scope.and_then(|scope| FilterPolicy::parse_in(scope, text)) {
            Ok(policy) => Self::Supported(Some(policy)),
            Err(_) => Self::Unsupported,
        }
    }
}

/// Refuses a policy that could never match, because no message to that protocol carries what it asks for: an attribute
/// of a name that SNS does not take, or a body that is JSON where it is a text.
pub(super) fn require_carried(policy: &FilterPolicy, protocol: Protocol) -> Result<(), Error> {
    let (field, message) = match policy.scope() {
        FilterPolicyScope::MessageAttributes => {
            let Some(key) = policy.keys().into_iter().find(|key| !is_carried(key)) else { return Ok(()) };
            let message = format!(
                "filterPolicy.{key} can match no order here: SNS takes no message attribute of that name"
            );
            ("filterPolicy", message)
        }
        FilterPolicyScope::MessageBody if protocol == Protocol::Webhook => return Ok(()),
        FilterPolicyScope::MessageBody => {
            let message = format!(
                "filterPolicyScope MessageBody can match no order here: what SNS sends by {protocol} is a text, and no JSON"
            );
            ("filterPolicyScope", message)
        }
    };
    Err(Error::new(ErrorKind::Invalid, "invalid_filter_policy", message).at_field(field))
}

/// The filter policy, where nothing else was chosen: what SNS has no attribute for is refused.
pub(super) fn only_policy(attributes: Attributes) -> Result<Option<FilterPolicy>, Error> {
    let Attributes {
        filter_policy,
        max_receives_per_second,
        escalation,
        fields,
        receives,
        language,
        time_zone,
    } = attributes;
    require_none("maxReceivesPerSecond", max_receives_per_second.is_none())?;
    require_none("escalation", escalation.is_none())?;
    require_none("fields", fields.is_none())?;
    require_none("receives", receives == SubscribedTo::Orders)?;
    require_none("language", language.is_none())?;
    require_none("timeZone", time_zone.is_none())?;
    Ok(filter_policy)
}

/// Refuses an attribute that only our own delivery keeps.
pub(super) fn require_none(field: &str, none: bool) -> Result<(), Error> {
    if none {
        return Ok(());
    }
    let message = format!("{field} cannot be chosen here: SNS delivers in its own way");
    Err(Error::new(ErrorKind::Invalid, "not_on_this_host", message).at_field(field))
}

/// The attributes that make a new subscription want what the policy wants.
pub(super) fn sns_attributes(policy: &FilterPolicy) -> HashMap<String, String> {
    let attributes = [(SCOPE, policy.scope().name()), (POLICY, policy.as_str())];
    attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

#[cfg(test)]
mod tests {
    use domain::fields::Fields;

    use super::*;

    fn read(policy: Option<&str>, scope: Option<&str>) -> SnsFilterPolicy {
        let attributes = [(POLICY, policy), (SCOPE, scope)];
        let set =
            attributes.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
        SnsFilterPolicy::of(&set.collect())
    }

    #[test]
    fn what_only_our_own_delivery_keeps_is_refused_by_its_name() {
        let fields = Fields::parse(["items"]).unwrap();
        let refused = only_policy(Attributes { fields: Some(fields), ..Attributes::default() }).unwrap_err();
        assert_eq!((refused.code, refused.field.as_deref()), ("not_on_this_host", Some("fields")));
        assert!(only_policy(Attributes::default()).is_ok());
    }

    #[test]
    fn a_policy_reads_back_as_it_was_set() {
        let body =
            FilterPolicy::parse_in(FilterPolicyScope::MessageBody, r#"{"data":{"shop":["north"]}}"#).unwrap();
        assert_eq!(SnsFilterPolicy::of(&sns_attributes(&body)), SnsFilterPolicy::Supported(Some(body)));
        let policy = FilterPolicy::parse(r#"{"currency":["EUR"],"express":[true]}"#).unwrap();
        assert_eq!(
            SnsFilterPolicy::of(&sns_attributes(&policy)),
            SnsFilterPolicy::Supported(Some(policy.clone()))
        );
        assert_eq!(read(Some(policy.as_str()), None), SnsFilterPolicy::Supported(Some(policy)));
        assert_eq!(read(None, None), SnsFilterPolicy::Supported(None));
        assert_eq!(read(Some(""), Some("MessageAttributes")), SnsFilterPolicy::Supported(None));
    }

    #[test]
    fn a_policy_that_ours_cannot_say_is_told_from_none_at_all() {
        assert_eq!(read(Some(r#"{"shop":[{"wildcard":"n*"}]}"#), None), SnsFilterPolicy::Unsupported);
        assert_eq!(read(Some(r#"{"shop":["north"]}"#), Some("MessageSubject")), SnsFilterPolicy::Unsupported);
    }

    #[test]
    fn a_policy_on_what_no_message_carries_is_refused() {
        let refused = FilterPolicy::parse(r#"{"shop":["north"],"AWS.x":[1]}"#).unwrap();
        assert_eq!(require_carried(&refused, Protocol::Webhook).unwrap_err().code, "invalid_filter_policy");
        let within = FilterPolicy::parse(r#"{"$or":[{"shop":["north"]},{"AWS.x":[1]}]}"#).unwrap();
        assert!(require_carried(&within, Protocol::Email).is_err());
        let carried = FilterPolicy::parse(r#"{"shop":["north"]}"#).unwrap();
        assert!(require_carried(&carried, Protocol::Email).is_ok());
    }

    #[test]
    fn a_policy_on_the_body_is_refused_where_the_body_is_a_text() {
        let body =
            FilterPolicy::parse_in(FilterPolicyScope::MessageBody, r#"{"data":{"AWS.x":[1]}}"#).unwrap();
        assert!(require_carried(&body, Protocol::Webhook).is_ok());
        for protocol in [Protocol::Email, Protocol::Sms] {
            let error = require_carried(&body, protocol).unwrap_err();
            assert_eq!(error.field.as_deref(), Some("filterPolicyScope"), "{protocol}");
        }
    }
}
