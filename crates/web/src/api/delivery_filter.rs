//! Which of the deliveries in a state are meant, as a body says it: `{"state",
//! "subscriptionId"?,"protocol"?,"from"?,"before"?}`.
//!
//! The state is asked for so that an empty body does not mean everything; for the same reason `null` is no filter.

use application::ports::DeliveryFilter;
use domain::Timestamp;
use domain::endpoint::Protocol;

use crate::body::Members;
use crate::problem::Problem;

/// Reads the state, one of those, and the filter.
pub(crate) fn read<S: Copy>(json: &[u8], states: &[(&str, S)]) -> Result<(S, DeliveryFilter), Problem> {
    let members = Members::read(json, &["state", "subscriptionId", "protocol", "from", "before"])?;
    let wanted = members.required("state")?;
    let Some((_, state)) = states.iter().find(|(name, _)| *name == wanted) else {
        let names: Vec<_> = states.iter().map(|(name, _)| *name).collect();
        let detail = format!("state must be {}", names.join(" or "));
        return Err(Problem::invalid("invalid_state", "state", detail));
    };
    let filter = DeliveryFilter {
        subscription: members.filter("subscriptionId")?.map(|id| id.parse()).transpose()?,
        protocol: members.filter("protocol")?.map(|name| Protocol::parse(&name)).transpose()?,
        from: time(&members, "from")?,
        before: time(&members, "before")?,
    };
    Ok((*state, filter))
}

/// The time in a member, if it is there.
pub(crate) fn time(members: &Members<'_>, name: &'static str) -> Result<Option<Timestamp>, Problem> {
    let wrong = |_| {
        let detail = format!("{name} must be a time such as 2026-01-31T12:00:00Z");
        Problem::invalid("invalid_time", name, detail)
    };
    members.filter(name)?.map(|text| text.parse().map_err(wrong)).transpose()
}
