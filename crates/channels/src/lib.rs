//! What speaks each protocol: [`email`] over SMTP, [`webhook`] over HTTP, and the [`sandbox`] that keeps messages here.
//!
//! Each implements `application::ports::Channel`: it makes one attempt, always comes to an end, and says truly what
//! came of it. What follows from that is `domain::delivery`'s to decide.

pub mod email;
pub mod sandbox;
mod tls;
pub mod webhook;
