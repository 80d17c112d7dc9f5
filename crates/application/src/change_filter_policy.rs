//! change_filter_policy
