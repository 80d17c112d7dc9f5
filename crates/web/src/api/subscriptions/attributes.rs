//! A subscription's attributes, as JSON has them.

use std::num::NonZeroU32;

use domain::attributes::{self, Attributes, AttributesChange, Escalation, Minutes, SubscribedTo};
use domain::fields::Fields;
use domain::filter_policy::{FilterPolicy, FilterPolicyScope};
use domain::json_number;
use domain::language::Language;
use domain::subscription::SubscriptionId;
use domain::time_zone::TimeZoneName;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::body::{Members, REPEATED, repeated};
use crate::problem::Problem;

/// The members that hold attributes.
pub(super) const MEMBERS: [&str; 8] = [
    "filterPolicy",
    "filterPolicyScope",
    "maxReceivesPerSecond",
    "escalation",
    "fields",
    "receives",
    "language",
    "timeZone",
];

/// Attributes as the operator sees them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AttributesJson<'a> {
    filter_policy: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter_policy_scope: Option<FilterPolicyScope>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_receives_per_second: Option<NonZeroU32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    escalation: Option<EscalationJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<Vec<&'static str>>,
    receives: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_zone: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EscalationJson {
    after_minutes: u16,
    subscription_id: SubscriptionId,
}

impl<'a> AttributesJson<'a> {
    pub(super) fn of(attributes: &'a Attributes) -> Self {
        let policy = attributes.filter_policy.as_ref();
        Self {
            filter_policy: policy.and_then(|policy| serde_json::from_str(policy.as_str()).ok()),
            filter_policy_scope: policy.map(FilterPolicy::scope),
            max_receives_per_second: attributes.max_receives_per_second,
            escalation: attributes.escalation.map(|escalation| EscalationJson {
                after_minutes: escalation.after_minutes.get(),
                subscription_id: escalation.to,
            }),
            fields: attributes.fields.as_ref().map(|fields| fields.names().collect()),
            receives: attributes.receives.name(),
            language: attributes.language.map(Language::name),
            time_zone: attributes.time_zone.as_ref().map(TimeZoneName::as_str),
        }
    }
}

/// The attributes of a new subscription.
pub(super) fn read(members: &Members<'_>) -> Result<Attributes, Problem> {
    let receives = match members.text("receives")? {
        Some(name) => SubscribedTo::parse(&name)?,
        None => SubscribedTo::default(),
    };
    Ok(Attributes { receives, ..Attributes::default() }.changed(read_change(members)?)?)
}

/// What a change names; `null` takes an attribute away.
pub(super) fn read_change(members: &Members<'_>) -> Result<AttributesChange, Problem> {
    let mut change = AttributesChange::default();
    if let Some(json) = members.raw("filterPolicy") {
        change.filter_policy = Some(filter_policy(json, members)?);
    } else if members.raw("filterPolicyScope").is_some() {
        let detail = "filterPolicyScope is given together with its filterPolicy, which is missing";
        return Err(Problem::invalid("missing_field", "filterPolicy", detail));
    }
    if let Some(json) = members.raw("maxReceivesPerSecond") {
        change.max_receives_per_second = Some(unless_null(json, rate)?);
    }
    if let Some(json) = members.raw("escalation") {
        change.escalation = Some(unless_null(json, escalation)?);
    }
    if let Some(json) = members.raw("fields") {
        change.fields = Some(unless_null(json, fields)?);
    }
    if members.raw("language").is_some() {
        let tag = members.text("language")?;
        change.language = Some(tag.map(|tag| Language::parse("language", &tag)).transpose()?);
    }
    if members.raw("timeZone").is_some() {
        let name = members.text("timeZone")?;
        change.time_zone = Some(name.map(|name| TimeZoneName::parse("timeZone", &name)).transpose()?);
    }
    Ok(change)
}

/// A filter policy from its JSON as the client wrote it, so that its numbers stay exact. It comes and goes with its
/// scope, SNS's default unless one is named.
pub(super) fn filter_policy(json: &str, members: &Members<'_>) -> Result<Option<FilterPolicy>, Problem> {
    let scope = match members.text("filterPolicyScope")? {
        Some(name) => FilterPolicyScope::parse(&name)?,
        None => FilterPolicyScope::default(),
    };
    unless_null(json, |json| Ok(FilterPolicy::parse_in(scope, json)?))
}

fn unless_null<T>(json: &str, read: impl Fn(&str) -> Result<T, Problem>) -> Result<Option<T>, Problem> {
    if json == "null" { Ok(None) } else { read(json).map(Some) }
}

fn rate(json: &str) -> Result<NonZeroU32, Problem> {
    let field = "maxReceivesPerSecond";
    Ok(attributes::rate(field, number(field, json)?)?)
}

fn escalation(json: &str) -> Result<Escalation, Problem> {
    let wrong = || {
        let detail = "escalation must be an object with afterMinutes and subscriptionId";
        Problem::invalid("wrong_type", "escalation", detail)
    };
    let members = Members::read(json.as_bytes(), &["afterMinutes", "subscriptionId"]);
    let members = members.map_err(|problem| match problem.field {
        Some(member) if problem.code == REPEATED => repeated(format!("escalation.{member}")),
        _ => wrong(),
    })?;
    let minutes = members.raw("afterMinutes").ok_or_else(wrong)?;
    let field = "escalation.afterMinutes";
    let to = members.text("subscriptionId").map_err(|_| wrong())?.ok_or_else(wrong)?;
    let to = to.parse().map_err(|_| {
        let detail = "escalation.subscriptionId must be a UUID";
        Problem::invalid("invalid_id", "escalation.subscriptionId", detail)
    })?;
    Ok(Escalation { after_minutes: Minutes::parse(field, number(field, minutes)?)?, to })
}

fn fields(json: &str) -> Result<Fields, Problem> {
    let names: Vec<String> = serde_json::from_str(json).map_err(|_| {
        let detail = "fields must be an array of the names of an order's members, or null for all of them";
        Problem::invalid("wrong_type", "fields", detail)
    })?;
    Ok(Fields::parse(names.iter().map(String::as_str))?)
}

/// A whole number; what is none is beyond every limit.
fn number(name: &'static str, json: &str) -> Result<u64, Problem> {
    let is_number = json.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    match json_number::whole(json) {
        Some(number) => Ok(number),
        None if is_number => Ok(u64::MAX),
        None => Err(Problem::invalid("wrong_type", name, format!("{name} must be a number"))),
    }
}
