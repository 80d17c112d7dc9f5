//! Orderbell.
fn main() {}
