//! The AWS host, emulated: the real Lambda program under AWS's own Runtime Interface Emulator, with Amazon's DynamoDB
//! Local for its table and moto for its topic. What AWS does between them — the gateway, the event source mapping —
//! is done here by its documented rules.
//!
//! Everything here runs beside the emulators that `cargo xtask emulators -- COMMAND…` starts.

pub mod cloud;
pub mod emulators;
pub mod event_source_mapping;
pub mod fault_proxy;
pub mod function;
pub mod gateway;
mod publish_batch;
pub mod stream;
pub mod table;
pub mod topic;
