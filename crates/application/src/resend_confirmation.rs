//! resend_confirmation
