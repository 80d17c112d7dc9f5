//! The topic with moto in SNS's place, and Amazon's DynamoDB Local behind it.
//!
//! What moto does otherwise than SNS: every subscription is confirmed at once, and nothing is said of one that ended.
#![expect(clippy::unwrap_used, reason = "all of it is a test")]

#[path = "../emulated/mod.rs"]
mod emulated;

mod filter_cases;
mod filters;
mod fixtures;
mod notified;
mod promises;
