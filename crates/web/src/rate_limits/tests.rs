use std::net::{Ipv4Addr, Ipv6Addr};

use super::*;

const RATE: OrderRate = OrderRate { per_minute: 60, burst: 120 };
const ALL: OrderRate = OrderRate { per_minute: 1_200, burst: 2_400 };

fn limits() -> OrderRateLimiter {
    OrderRateLimiter::new(usual())
}

fn usual() -> OrderLimits {
    let (per_address, per_key, without_key) =
        (Some(RATE), Some(OrderRate { per_minute: 600, burst: 1_200 }), Some(ALL));
    OrderLimits { per_address, per_key, without_key, ..OrderLimits::default() }
}

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(1_700_000_000_000 + milliseconds).unwrap()
}

fn from(address: &str) -> RateLimitKey<'static> {
    RateLimitKey::Address(address.parse().ok())
}

fn numbered(number: u32) -> RateLimitKey<'static> {
    RateLimitKey::Address(Some(Ipv4Addr::from_bits(0x0b00_0000 + number).into()))
}

/// How many of so many orders at once are let in.
fn taken(
    limits: &OrderRateLimiter,
    rate_limit_key: RateLimitKey<'_>,
    orders: usize,
    now: Timestamp,
) -> usize {
    (0..orders).filter(|_| limits.acquire(rate_limit_key, now).is_ok()).count()
}

#[test]
fn a_burst_is_taken_then_the_rate_and_the_wait_that_is_told_is_enough() {
    let limits = limits();
    assert_eq!(taken(&limits, from("203.0.113.7"), 8_000, at(0)), 120);
    let refused = limits.acquire(from("203.0.113.7"), at(0)).unwrap_err();
    assert_eq!((refused.status, refused.code), (StatusCode::TOO_MANY_REQUESTS, "too_many_orders"));
    assert_eq!(refused.retry_after, Some(Duration::from_secs(1)));
    assert!(
        refused.detail.contains("from your address: 60 a minute are taken, and 120 at once"),
        "{}",
        refused.detail
    );
    assert_eq!(taken(&limits, from("203.0.113.7"), 10, at(999)), 0);
    assert_eq!(taken(&limits, from("203.0.113.7"), 10, at(1_000)), 1);
    assert_eq!(taken(&limits, from("203.0.113.7"), 100, at(31_000)), 30);
    assert_eq!(taken(&limits, from("203.0.113.7"), 8_000, at(600_000)), 120, "no more gathers than a burst");
}

#[test]
fn a_shop_that_keeps_to_the_rate_never_meets_the_limit() {
    let limits = limits();
    for second in 0..100_000 {
        limits.acquire(from("203.0.113.7"), at(second * 1_000)).unwrap();
    }
}

#[test]
fn who_floods_costs_nobody_else_a_place() {
    let limits = limits();
    taken(&limits, from("203.0.113.7"), 8_000, at(0));
    assert_eq!(taken(&limits, from("203.0.113.8"), 200, at(0)), 120);
    assert_eq!(taken(&limits, RateLimitKey::Key("shop"), 2_000, at(0)), 1_200);
    assert_eq!(taken(&limits, RateLimitKey::Key("till"), 2_000, at(0)), 1_200);
    let refused = limits.acquire(RateLimitKey::Key("shop"), at(0)).unwrap_err();
    assert!(refused.detail.contains("with your key: 600 a minute"), "{}", refused.detail);
}

#[test]
fn all_without_a_key_share_one_limit_and_what_it_refuses_costs_an_address_nothing() {
    let limits = limits();
    let all: usize = (0..10_000).map(|number| taken(&limits, numbered(number), 1, at(0))).sum();
    assert_eq!(all, 2_400);
    let refused = limits.acquire(numbered(9_999), at(0)).unwrap_err();
    assert_eq!(refused.retry_after, Some(Duration::from_millis(50)));
    assert!(refused.detail.contains("without a key: 1200 a minute"), "{}", refused.detail);
    limits.acquire(RateLimitKey::Key("shop"), at(0)).unwrap();
    assert_eq!(taken(&limits, numbered(9_999), 8_000, at(60_000)), 120);
}

#[test]
fn any_number_of_addresses_is_known_in_bounded_memory_and_who_used_most_stays_known() {
    let limits = OrderRateLimiter::new(OrderLimits { without_key: None, ..usual() });
    taken(&limits, from("203.0.113.7"), 120, at(0));
    for number in 0..100_000 {
        limits.acquire(numbered(number), at(0)).unwrap();
    }
    let known = |limits: &OrderRateLimiter| {
        let usage = limits.lock();
        assert_eq!(usage.addresses.refilled_at.len(), usage.addresses.by_time.len());
        usage.addresses.by_time.len()
    };
    assert_eq!(known(&limits), MAX_ADDRESSES);
    assert_eq!(taken(&limits, from("203.0.113.7"), 10, at(0)), 0, "who flooded is not forgotten for them");
    limits.acquire(from("192.0.2.1"), at(1_000)).unwrap();
    assert_eq!(known(&limits), 2, "who may place a whole burst again is not kept");
}

#[test]
fn ten_thousand_addresses_at_once_each_have_their_own() {
    let limits = OrderRateLimiter::new(OrderLimits { without_key: None, ..usual() });
    for round in 0..120 {
        for number in 0..10_000 {
            assert!(limits.acquire(numbered(number), at(0)).is_ok(), "{number} in round {round}");
        }
    }
    assert!((0..10_000).all(|number| limits.acquire(numbered(number), at(0)).is_err()));
}

#[test]
fn the_share_of_an_order_that_stored_nothing_new_is_refunded() {
    for rate_limit_key in [from("203.0.113.7"), RateLimitKey::Key("shop"), RateLimitKey::Address(None)] {
        let limits = limits();
        for _ in 0..10_000 {
            limits.acquire(rate_limit_key, at(0)).unwrap();
            limits.refund(rate_limit_key);
        }
    }
    let limits = self::limits();
    limits.refund(RateLimitKey::Key("nobody"));
    limits.refund(from("203.0.113.7"));
    assert_eq!(taken(&limits, from("203.0.113.7"), 8_000, at(0)), 120, "nobody gathers by it");
}

#[test]
fn an_address_that_speaks_for_many_has_no_limit_of_its_own() {
    let limits =
        OrderRateLimiter::new(OrderLimits { proxies: vec!["127.0.0.0/8".parse().unwrap()], ..usual() });
    assert_eq!(taken(&limits, from("127.0.0.1"), 8_000, at(0)), 2_400);
    let limits = self::limits();
    assert_eq!(taken(&limits, RateLimitKey::Address(None), 8_000, at(0)), 2_400);
    let unlimited = OrderRateLimiter::default();
    for rate_limit_key in [from("203.0.113.7"), RateLimitKey::Key("shop")] {
        assert_eq!(taken(&unlimited, rate_limit_key, 8_000, at(0)), 8_000);
    }
}

#[test]
fn a_clock_that_is_set_back_makes_nobody_wait() {
    let limits = limits();
    taken(&limits, from("203.0.113.7"), 120, at(0));
    for address in ["203.0.113.7", "2001:db8::"] {
        assert_eq!(taken(&limits, from(address), 200, at(-86_400_000)), 120, "{address}");
    }
    assert_eq!(
        taken(&limits, from("203.0.113.7"), 200, at(-86_401_000)),
        0,
        "a second of it makes nobody whole"
    );
}

#[test]
fn extreme_rates_hold() {
    for (per_minute, burst, expected) in [(1, 1, 1), (1_000_000, 1, 1), (1, 1_000_000, 5_000), (0, 0, 1)] {
        let per_address = Some(OrderRate { per_minute, burst });
        let limits = OrderRateLimiter::new(OrderLimits { per_address, ..OrderLimits::default() });
        let address = RateLimitKey::Address(Some(Ipv6Addr::LOCALHOST.into()));
        assert_eq!(taken(&limits, address, 5_000, at(0)), expected, "{per_minute}/{burst}");
    }
}

#[test]
fn a_flood_is_a_line_of_the_log_in_ten_seconds() {
    let limits = limits();
    for moment in 0..8_000 {
        let _ = limits.acquire(from("203.0.113.7"), at(moment / 8));
    }
    assert_eq!(limits.lock().refused.last_line, Some(at(15)));
    assert!(limits.lock().refused.suppressed > 7_000);
}
