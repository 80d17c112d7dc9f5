//! When a failed delivery is tried again.

use std::time::Duration;

use crate::endpoint::Protocol;

/// The delays before each further attempt.
#[derive(Debug, Clone, Copy)]
pub enum Schedule {
    /// SNS's policy for SMTP and SMS: 50 attempts over 6 h (2 × 10 s, 10 backing off from 10 s to 600 s, then 600 s).
    /// Source: AWS, "Amazon SNS message delivery retries".
    Sns,
    /// Standard Webhooks 1.0: 0, 5 s, 5 m, 30 m, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h; ten attempts.
    StandardWebhooks,
}

const WEBHOOK_ATTEMPTS: u32 = 10;
const WEBHOOK_DELAYS: [u64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
/// Ten steps from 10 s to 600 s, each the one before times the ninth root of 60.
const SNS_BACKOFF: [u64; 10] = [10, 16, 25, 39, 62, 97, 153, 242, 381, 600];
const SNS_ATTEMPTS: u32 = 50;

/// The longest that any schedule lets a delivery wait, at the most jitter: a day and a tenth. No Retry-After that is
/// granted is longer. What is due later than this from now is so because a clock was wrong.
pub const MAX_DELAY: Duration = Duration::from_mins(1_584);

/// How far jitter moves a delay, in thousandths either way.
pub const JITTER_PERMILLE: u64 = 100;

/// How far a delay is moved: 0 by the most that [`JITTER_PERMILLE`] lets it be shorter, 65,535 by the most longer.
#[derive(Debug, Clone, Copy)]
pub struct Jitter(pub u16);

impl Schedule {
    /// The schedule of a protocol.
    #[must_use]
    pub fn of(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Email | Protocol::Sms => Self::Sns,
            Protocol::Webhook | Protocol::Chat => Self::StandardWebhooks,
        }
    }

    /// How many attempts a delivery may use.
    #[must_use]
    pub fn attempts(self) -> u32 {
        match self {
            Self::Sns => SNS_ATTEMPTS,
            Self::StandardWebhooks => WEBHOOK_ATTEMPTS,
        }
    }

    /// The delay before the next attempt once `attempts_used` are used, without jitter; `None`: none is left.
    #[must_use]
    pub fn delay(self, attempts_used: u32) -> Option<Duration> {
        if attempts_used >= self.attempts() {
            return None;
        }
        let Some(retry) = attempts_used.checked_sub(1) else { return Some(Duration::ZERO) };
        let retry = usize::try_from(retry).ok()?;
        let seconds = match self {
            Self::StandardWebhooks => *WEBHOOK_DELAYS.get(retry)?,
            Self::Sns if retry < 2 => 10,
            Self::Sns => SNS_BACKOFF.get(retry - 2).copied().unwrap_or(600),
        };
        Some(Duration::from_secs(seconds))
    }
}

/// Moves a delay by at most a tenth either way, so that what failed together is not tried again together.
#[must_use]
pub fn jittered(delay: Duration, jitter: Jitter) -> Duration {
    let millis = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
    let factor = 1_000 - JITTER_PERMILLE + u64::from(jitter.0) * 2 * JITTER_PERMILLE / u64::from(u16::MAX);
    Duration::from_millis(millis.saturating_mul(factor) / 1_000)
}
