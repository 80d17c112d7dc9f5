//! The one HTTP router that every host serves, over the use cases of [`application`].
//!
//! [`router()`] is a table of routes: the API has one file per route, pages and console one file per page.
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
mod observe;
mod order_limits;
mod origin;
mod pages;
mod path_id;
mod problem;
mod query;
mod router;
mod seldom_said;
mod settings;
mod single_header;
mod wrong_keys;

pub use client::{Client, forwarded_address};
pub use front_door::{FrontDoor, HostName};
pub use intake_path::IntakePath;
pub use order_limits::{ORDER_LIMITS, OrderLimits, OrderRate};
pub use router::router;
pub use settings::{Intake, IntakeKey, KeyHash, NotFromProvider, ReceiptReader, Report, Settings};
pub use wrong_keys::WrongKeys;
