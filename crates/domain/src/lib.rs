//! What an order, a subscription, a filter policy and a delivery are, and what follows from an outcome.
//!
//! Everything here is pure: no clock, no randomness, no disk, no network. A value that exists has been checked.

pub mod attempt;
pub mod attributes;
pub mod delivery;
pub mod endpoint;
pub mod failure_streak;
pub mod fields;
pub mod filter_policy;
pub mod id;
pub mod invalid;
pub mod json_number;
pub mod json_text;
pub mod language;
pub mod link_token;
pub mod notice;
pub mod notification;
pub mod order;
pub mod reader;
pub mod receipt;
pub mod retry;
pub mod shop;
pub mod sms_text;
pub mod subscription;
pub mod template;
pub mod this_machine;
pub mod time_zone;
pub mod visible;
pub mod webhook_secret;

pub use invalid::Invalid;
pub use jiff::Timestamp;
