//! What speaks each protocol: [`email`] over SMTP, [`sms`] through a provider, [`webhook`] and [`chat`] over HTTP, and the
//! [`sandbox`] that keeps messages here.
//!
//! Each implements `application::ports::Channel`: it makes one attempt, always comes to an end, and says truly what
//! came of it. What follows from that is `domain::delivery`'s to decide.

pub mod chat;
mod dns;
pub mod email;
#[cfg(test)]
mod fuzz;
pub mod http;
mod local_resources;
mod outcomes;
pub mod sandbox;
mod secret;
pub mod sms;
mod tls;
pub mod webhook;

pub use secret::Secret;
