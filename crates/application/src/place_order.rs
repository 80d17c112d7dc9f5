//! place_order
