//! The one HTTP router that every host serves, over the use cases of [`application`].
//!
//! [`router()`] is a table of routes: the API has one file per noun, pages and console one file per page.
//! Nothing here knows the host it runs on. [`gateway_event`] turns what Lambda is invoked with into requests,
//! and answers back into what Lambda returns.

mod access;
mod api;
mod body;
mod client;
mod console;
mod cors;
mod error_mapping;
mod front_door;
pub mod gateway_event;
mod intake_path;
mod keys;
mod observe;
mod order_limits;
mod pages;
mod parameters;
mod problem;
mod router;
mod seldom_said;
mod settings;
mod state;
mod wrong_keys;

pub use client::{Client, forwarded_address};
pub use front_door::{FrontDoor, HostName};
pub use intake_path::IntakePath;
pub use keys::{Intake, IntakeKey, KeyHash};
pub use order_limits::{ORDER_LIMITS, OrderLimits, OrderRate};
pub use router::router;
pub use settings::{NotFromProvider, ReceiptReader, Report, Settings};
pub use wrong_keys::WrongKeys;
