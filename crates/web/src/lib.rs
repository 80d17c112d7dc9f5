//! The one HTTP router that every host serves, over the use cases of [`application`].
//!
//! [`router()`] is a table of routes: the API has one file per noun, pages and console one file per page.
//! Nothing here knows the host it runs on. [`gateway_event`] turns what Lambda is invoked with into requests,
//! and answers back into what Lambda returns.

mod access;
mod api;
mod auth_throttle;
mod body;
mod client;
mod console;
mod cors;
mod error_mapping;
pub mod gateway_event;
mod handling;
mod host_policy;
mod keys;
mod observe;
mod order_path_alias;
mod pages;
mod parameters;
mod problem;
mod rate_limits;
mod router;
mod settings;
mod site;
mod state;

pub use auth_throttle::AuthThrottle;
pub use client::{Client, forwarded_address};
pub use handling::Handling;
pub use host_policy::{HostName, HostPolicy};
pub use keys::{ClientKey, KeyHash, OrderAuth};
pub use order_path_alias::OrderPathAlias;
pub use rate_limits::{ORDER_LIMIT_NAMES, OrderLimits, OrderRate};
pub use router::{router, site};
pub use settings::{InvalidSignature, ReceiptReader, Settings, StatusCallback};
pub use site::Site;
