//! The rules of the domain, as a caller sees them.

extern crate orderbell_domain as domain;

#[cfg(test)]
mod confirming;
#[cfg(test)]
mod deciding;
#[cfg(test)]
mod endpoints;
#[cfg(test)]
mod fields;
#[cfg(test)]
mod filter_policies;
#[cfg(test)]
mod filter_policy_cases;
#[cfg(test)]
mod generated_orders;
#[cfg(test)]
mod hostile_templates;
mod kept_members;
#[cfg(test)]
mod languages;
#[cfg(test)]
mod link_tokens;
#[cfg(test)]
mod notifications;
#[cfg(test)]
mod one_item;
#[cfg(test)]
mod parsing_orders;
#[cfg(test)]
mod retry_schedules;
#[cfg(test)]
mod stored_orders;
#[cfg(test)]
mod templates;
#[cfg(test)]
mod text_messages;
#[cfg(test)]
mod waiting;
#[cfg(test)]
mod who_is_matched;

#[cfg(test)]
mod fixtures {
    use domain::Timestamp;
    use domain::order::{Order, OrderDetails, OrderId};

    pub(crate) fn now() -> Timestamp {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    pub(crate) fn details(json: &str) -> OrderDetails {
        OrderDetails::parse(json.as_bytes()).unwrap()
    }

    pub(crate) fn order(json: &str) -> Order {
        let id = OrderId::new(now(), [7; 10]);
        Order { id, time: now(), details: details(json), request_id: "request-1".to_owned() }
    }
}
