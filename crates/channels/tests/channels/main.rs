//! Each channel against receivers that answer, refuse, hang and hang up.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod chat;
mod doctor;
mod email;
mod email_faults;
mod fixtures;
mod hidden_fields;
mod http_receiver;
mod languages;
mod mail_form;
mod mail_of_an_order;
#[cfg(feature = "emulators")]
mod no_network;
mod order_links;
mod promises;
#[cfg(feature = "emulators")]
mod real_receivers;
#[cfg(feature = "emulators")]
mod real_relays;
mod sms;
mod sms_faults;
mod smtp_login;
mod smtp_peer;
mod smtp_pipelining;
mod smtp_replies;
#[cfg(feature = "emulators")]
mod smtp_tokens;
mod smtp_trust;
#[cfg(feature = "emulators")]
mod spam_score;
mod templates;
mod token_server;
mod webhook;
mod webhook_faults;
mod webhook_guard;
mod webhook_trust;
