//! Who may do something of which there must be one at a time: a lease in the table, taken by a conditional write.
//!
//! A holder that dies lets it end by itself. Clocks of two holders may differ by less than [`CLOCK_SKEW`].

use std::time::Duration;

use application::Error;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;

use super::Table;
use super::failure::unread;
use super::item::{self, KIND};

/// Who holds it.
pub(super) const LEASE_HOLDER: &str = "leaseHolder";
/// Until when, in milliseconds since 1970-01-01 UTC.
pub(super) const LEASED_UNTIL: &str = "leasedUntil";
/// What a lease outlives its end by: how far the clocks of two functions may be apart.
const CLOCK_SKEW: Duration = Duration::from_secs(5);

impl Table {
    /// Takes the lease of that name until then, unless somebody else holds it at present; whether it was taken. `holder`
    /// must be another for everyone who asks.
    ///
    /// # Errors
    /// What the table says; the lease may be taken nevertheless, and ends by itself.
    pub async fn take_lease(&self, name: &str, holder: &str, until: Timestamp) -> Result<bool, Error> {
        let update = self.client.update_item().table_name(&*self.name).key(&*self.key, key(name));
        let update = update.update_expression("SET #kind = :kind, #holder = :holder, #until = :until");
        // Ours already: an attempt before this one took it, and its answer was lost.
        let update = update
            .condition_expression("attribute_not_exists(#until) OR #until <= :now OR #holder = :holder");
        let update = update.expression_attribute_names("#kind", KIND);
        let update = update.expression_attribute_names("#holder", LEASE_HOLDER);
        let update = update.expression_attribute_names("#until", LEASED_UNTIL);
        let update = update.expression_attribute_values(":kind", item::text("lease"));
        let update = update.expression_attribute_values(":holder", item::text(holder));
        let update = update.expression_attribute_values(":until", millis(until + CLOCK_SKEW));
        match update.expression_attribute_values(":now", millis(self.clock.now())).send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(unread(&error)),
            },
        }
    }

    /// Ends a lease that `holder` has; one that somebody else took meanwhile is let be.
    ///
    /// # Errors
    /// What the table says; the lease then ends by itself.
    pub async fn end_lease(&self, name: &str, holder: &str) -> Result<(), Error> {
        let update = self.client.update_item().table_name(&*self.name).key(&*self.key, key(name));
        let update = update.update_expression("SET #until = :over").condition_expression("#holder = :holder");
        let update = update.expression_attribute_names("#holder", LEASE_HOLDER);
        let update = update.expression_attribute_names("#until", LEASED_UNTIL);
        let update = update.expression_attribute_values(":holder", item::text(holder));
        match update.expression_attribute_values(":over", AttributeValue::N("0".to_owned())).send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(unread(&error)),
            },
        }
    }
}

/// No order's key, which is a UUID, and no record's, which begins with `idem#`.
fn key(name: &str) -> AttributeValue {
    item::text(format!("lease#{name}"))
}

fn millis(time: Timestamp) -> AttributeValue {
    AttributeValue::N(time.as_millisecond().to_string())
}
