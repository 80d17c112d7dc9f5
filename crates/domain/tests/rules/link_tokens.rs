//! Tokens in links: made by us, for one purpose, or worthless.

use domain::delivery::DeliveryId;
use domain::link_token::{
    LinkKey, LinkToken, ORDER_LINK_LIFETIME, OrderToken, Purpose, token_in_link, token_in_query,
};
use domain::subscription::SubscriptionId;
use domain::webhook_secret::WebhookSecret;
use proptest::prelude::*;

use crate::fixtures::now;

const PURPOSES: [Purpose; 2] = [Purpose::Confirm, Purpose::Unsubscribe];

fn key() -> LinkKey {
    LinkKey::new([42; 64])
}

fn token(purpose: Purpose, generation: u32) -> LinkToken {
    LinkToken { purpose, subscription: SubscriptionId::new(now(), [9; 10]), generation }
}

#[test]
fn a_token_says_what_was_signed() {
    for purpose in PURPOSES {
        for generation in [0, 1, 77, u32::MAX] {
            let token = token(purpose, generation);
            let text = token.sign(&key());
            assert_eq!(LinkToken::verify(&text, purpose, &key()), Ok(token));
            assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')));
        }
    }
}

#[test]
fn a_token_for_one_purpose_is_worthless_for_the_other() {
    for (made_for, used_for) in [(PURPOSES[0], PURPOSES[1]), (PURPOSES[1], PURPOSES[0])] {
        let text = token(made_for, 0).sign(&key());
        assert_eq!(LinkToken::verify(&text, used_for, &key()).unwrap_err().code, "invalid_token");
    }
}

#[test]
fn a_token_made_with_another_key_is_worthless() {
    let mut bytes = [42; 64];
    bytes[63] ^= 1;
    let text = token(Purpose::Confirm, 1).sign(&LinkKey::new(bytes));
    assert_eq!(LinkToken::verify(&text, Purpose::Confirm, &key()).unwrap_err().code, "invalid_token");
}

#[test]
fn a_token_with_any_character_changed_left_out_or_added_is_worthless() {
    let text = token(Purpose::Confirm, 3).sign(&key());
    let refused = |text: &str| LinkToken::verify(text, Purpose::Confirm, &key()).is_err();
    for place in 0..text.len() {
        for other in (0u8..=127).map(char::from).filter(|other| !text[place..].starts_with(*other)) {
            let changed = format!("{}{other}{}", &text[..place], &text[place + 1..]);
            assert!(refused(&changed), "{changed}");
        }
        assert!(refused(&format!("{}{}", &text[..place], &text[place + 1..])));
        assert!(refused(&format!("{}A{}", &text[..place], &text[place..])));
    }
    for ending in ["=", "==", "A", " ", "\n"] {
        assert!(refused(&format!("{text}{ending}")));
    }
}

/// What mail services, trackers, readers and people make of a link, `T` being its token.
const CARRIED: [&str; 30] = [
    "T",
    " T\n",
    "token=T",
    "https://orders.example/subscriptions/confirm?token=T",
    "<https://orders.example/subscriptions/confirm?token=T>",
    "\"https://orders.example/subscriptions/confirm?token=T\"",
    "(https://orders.example/subscriptions/confirm?token=T).",
    "[Confirm](https://orders.example/subscriptions/confirm?token=T)",
    "_https://orders.example/subscriptions/confirm?token=T_",
    "*https://orders.example/subscriptions/confirm?token=T*",
    "https://orders.example/subscriptions/confirm?token=T&utm_source=x",
    "https://orders.example/subscriptions/confirm?utm_source=x&token=T",
    "https://orders.example/subscriptions/confirm?token=T?utm_source=x",
    "https://orders.example/subscriptions/confirm?token=T;fbclid=y",
    "https://orders.example/subscriptions/confirm?fbclid=a%26b%3Dc&token=T",
    "https://orders.example/subscriptions/confirm?utm_source=x&amp;token=T&amp;utm_medium=mail",
    "https://orders.example/subscriptions/confirm?token=T#top",
    "https://orders.example/subscriptions/confirm?token=T%23top",
    "https://orders.example/subscriptions/confirm?token=3DT",
    "https://orders.example/subscriptions/confirm?token=T%20",
    "https://orders.example/subscriptions/confirm?token=T%0D%0A",
    "https://orders.example/subscriptions/confirm?token=T=",
    "https://orders.example/subscriptions/confirm?token=T\u{200b}",
    "https://orders.example/subscriptions/confirm?token=T…",
    "https://orders.example/subscriptions/confirm?token=&token=T",
    "https://orders.example/subscriptions/confirm?x=%ff%zz&token=T",
    "https://urldefense.com/v3/__https://orders.example/subscriptions/confirm?token=T__;!!Ab-c!dE$",
    "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Forders.example%2Fsubscriptions%2Fconfirm%3Ftoken%3DT&data=05%7C01&reserved=0",
    "https://www.google.com/url?q=https://orders.example/subscriptions/confirm?token%3DT&sa=D&source=gmail",
    "https://clicks.example/?id=7&to=https%3A%2F%2Forders.example%2Fsubscriptions%2Fconfirm%3Futm_source%3Dx%26token%3DT",
];

#[test]
fn a_token_is_found_in_a_link_as_people_copy_it() {
    let token = token(Purpose::Confirm, 1).sign(&key());
    for carried in CARRIED {
        assert_eq!(token_in_link(&carried.replace('T', &token)), token, "{carried}");
    }
    for none in [
        "",
        " ",
        "?",
        "?token=",
        "https://orders.example/?tokens=7",
        "?q=a?b",
        "?to=https%3A%2F%2Fx%2F%3Ftoken%3D",
    ] {
        assert_eq!(token_in_link(none), "", "{none}");
    }
}

#[test]
fn a_token_is_found_among_parameters_that_others_added() {
    let token = token(Purpose::Unsubscribe, 0).sign(&key());
    let ours = "https://orders.example/subscriptions/confirm?";
    for carried in CARRIED.iter().filter_map(|link| link.strip_prefix(ours)) {
        let query = carried.split('#').next().unwrap_or_default();
        assert_eq!(token_in_query(&query.replace('T', &token)), token, "{carried}");
    }
    let many = "utm_source=newsletter&".repeat(5_000);
    assert_eq!(token_in_query(&format!("{many}token={token}&{many}")), token);
    for none in ["", "&&&", "token", "token=", "Token=x", "xtoken=x", "=x", "amp;token="] {
        assert_eq!(token_in_query(none), "", "{none}");
    }
}

#[test]
fn secrets_do_not_show_in_debug_output() {
    let secret = WebhookSecret::new([7; 32]);
    assert!(!format!("{:?} {secret:?}", key()).contains(&secret.reveal()[6..12]));
    assert_eq!(format!("{:?}", key()), "LinkKey(…)");
    assert_eq!(WebhookSecret::stored(secret.reveal().to_owned()), secret);
}

#[test]
fn a_webhook_secret_is_32_bytes_in_the_form_of_standard_webhooks() {
    let secret = WebhookSecret::new([0xff; 32]);
    let base64 = secret.reveal().strip_prefix("whsec_").unwrap();
    assert_eq!(base64.len(), 44);
    assert!(base64.starts_with("/////"));
}

fn order_token() -> OrderToken {
    OrderToken { delivery: DeliveryId::new(now(), [9; 10]) }
}

#[test]
fn an_orders_token_is_short_and_names_its_message_however_the_link_was_carried() {
    let token = order_token();
    let text = token.sign(&key());
    assert_eq!(text.len(), 43);
    for carried in ["T", "T.", "T)", "T%20", "T…", "T*_", "3DT"] {
        assert_eq!(OrderToken::verify(&carried.replace('T', &text), &key()), Ok(token), "{carried}");
    }
}

#[test]
fn an_orders_token_that_was_altered_or_made_for_something_else_is_worthless() {
    let text = order_token().sign(&key());
    for place in 0..text.len() {
        let other = if text[place..].starts_with('A') { 'B' } else { 'A' };
        let changed = format!("{}{other}{}", &text[..place], &text[place + 1..]);
        assert_eq!(OrderToken::verify(&changed, &key()).unwrap_err().code, "invalid_token", "{changed}");
        assert!(OrderToken::verify(&format!("{}{}", &text[..place], &text[place + 1..]), &key()).is_err());
    }
    assert!(OrderToken::verify(&text, &LinkKey::new([43; 64])).is_err());
    for purpose in PURPOSES {
        assert!(OrderToken::verify(&token(purpose, 0).sign(&key()), &key()).is_err());
        assert!(LinkToken::verify(&text, purpose, &key()).is_err());
    }
}

#[test]
fn an_orders_link_works_for_thirty_days() {
    let token = order_token();
    assert!(token.works(now()) && token.works(now() - ORDER_LINK_LIFETIME));
    assert!(token.works(now() + ORDER_LINK_LIFETIME - std::time::Duration::from_millis(1)));
    assert!(!token.works(now() + ORDER_LINK_LIFETIME));
    assert!(!OrderToken { delivery: DeliveryId(uuid_of(u128::MAX)) }.works(now()));
}

fn uuid_of(number: u128) -> uuid::Uuid {
    uuid::Uuid::from_u128(number)
}

proptest! {
    #[test]
    fn whatever_comes_as_an_orders_token_is_refused_without_a_panic(text in ".*") {
        prop_assert!(OrderToken::verify(&text, &key()).is_err());
    }

    #[test]
    fn whatever_comes_as_a_token_is_refused_without_a_panic(text in ".*") {
        for purpose in PURPOSES {
            prop_assert!(LinkToken::verify(&text, purpose, &key()).is_err());
        }
    }
}
