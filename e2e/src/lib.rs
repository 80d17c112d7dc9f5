//! What the scenarios stand on: the real program, started and killed like a user's, and the real peers that it talks
//! to — mail servers, webhook receivers, a browser.
//!
//! Everything binds to the loopback interface and ends with the test that started it.

pub mod aws;
pub mod browser;
pub mod certificate;
pub mod client;
pub mod deployment;
mod log;
pub mod peers;
pub mod process;
pub mod program;
pub mod receiver;
pub mod signature;
pub mod smtp_peer;
pub mod twilio;
pub mod wait;
pub mod writer_thread;
