//! confirm_subscription
