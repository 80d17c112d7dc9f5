//! How deliveries are driven to their end: the engine by hand. `simulation/` drives it with everything around it.

extern crate orderbell_application as application;

#[cfg(test)]
mod batches;
mod channel_pauses;
#[cfg(test)]
mod draining;
#[cfg(test)]
mod endpoint_pauses;
#[cfg(test)]
mod failing_endpoints;
#[cfg(test)]
mod fairness;
#[cfg(test)]
mod fixtures;
mod giving_way;
#[cfg(test)]
mod many_endpoints;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod rate_limits;
#[cfg(test)]
mod recovering;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod store_failures;
#[cfg(test)]
mod the_way_of_a_delivery;
#[cfg(test)]
mod timelines;
