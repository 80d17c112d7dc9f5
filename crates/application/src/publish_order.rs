//! publish_order
