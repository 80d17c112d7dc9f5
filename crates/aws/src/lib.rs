//! Orders in a DynamoDB table, published through an SNS topic.

pub mod connect;
mod failed_call;
mod stream_order;
mod table;
mod topic;

pub use stream_order::stream_order;
pub use table::{BadItem, Table, TableOptions, Unpublished};
pub use topic::Topic;
