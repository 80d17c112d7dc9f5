//! Each channel against receivers that answer, refuse, hang and hang up.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod doctor;
mod email;
mod email_faults;
mod fixtures;
mod http_receiver;
mod mail_form;
mod promises;
mod smtp_peer;
mod webhook;
mod webhook_faults;
mod webhook_guard;
