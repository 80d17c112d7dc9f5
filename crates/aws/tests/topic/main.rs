//! What the topic makes of SNS's answers, the rare and the bad ones too, which no emulator gives.
#![expect(clippy::unwrap_used, reason = "all of it is a test")]

mod echoes;
mod fixtures;
mod listing;
mod publishing;
mod scripted;
mod subscribing;
