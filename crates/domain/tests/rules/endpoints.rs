//! Endpoints: one normal form each, and never shown whole.

use domain::endpoint::{EmailAddress, Endpoint, PhoneNumber, Protocol, WebhookUrl};
use domain::order::idempotency::IdempotencyKey;
use proptest::prelude::*;

fn normal(protocol: Protocol, text: &str) -> Result<String, &'static str> {
    Endpoint::parse(protocol, text).map(|endpoint| endpoint.to_string()).map_err(|invalid| invalid.code)
}

#[test]
fn a_mail_addresss_domain_is_lower_cased_and_its_local_part_kept() {
    assert_eq!(normal(Protocol::Email, " Jo.Doe+x@Example.COM\n"), Ok("Jo.Doe+x@example.com".to_owned()));
    assert_eq!(EmailAddress::parse("endpoint", "jo@a.example").unwrap().domain(), "a.example");
    assert_eq!(normal(Protocol::Email, "日本@例え.jp"), Ok("日本@xn--r8jz45g.jp".to_owned()));
}

#[test]
fn what_is_no_mail_address_at_a_domain_is_refused() {
    let long = format!("{}@{}.example", "l".repeat(64), "d.".repeat(94));
    for text in [
        "",
        "jo",
        "jo@",
        "@example.com",
        "jo@[127.0.0.1]",
        "jo@example..com",
        "jo@example.com.",
        "Jo <jo@example.com>",
        "<jo@example.com>",
        "jo@example.com, eve@example.com",
        "jo@example.com\r\nBcc: eve@example.com",
        "\"jo\r\nBcc: eve\"@example.com",
        "\"jo\tdoe\"@example.com",
        "jo doe@example.com",
        long.as_str(),
    ] {
        assert_eq!(normal(Protocol::Email, text), Err("invalid_email"), "{text}");
    }
}

#[test]
fn a_domain_has_one_form() {
    for form in [
        "müller.example",
        "xn--mller-kva.example",
        "MÜLLER.example",
        "XN--MLLER-KVA.example",
        "mu\u{308}ller.example",
        "m\u{fc}lle\u{ad}r.example",
        "m\u{fc}ller\u{3002}example",
        "\u{ff4d}\u{fc}ller.example",
    ] {
        let expected = Ok("joe@xn--mller-kva.example".to_owned());
        assert_eq!(normal(Protocol::Email, &format!("joe@{form}")), expected, "{form:?}");
    }
    for (domain, form) in [
        ("fa\u{df}.example", "xn--fa-hia.example"),
        ("\u{2603}.EXAMPLE", "xn--n3h.example"),
        ("\u{3a3}\u{3af}\u{3c3}\u{3c5}\u{3c6}\u{3bf}\u{3c2}.example", "xn--kxa6ajbbmh.example"),
        ("B\u{dc}CHER.Example", "xn--bcher-kva.example"),
        ("a.\u{4f8b}\u{3048}.jp", "a.xn--r8jz45g.jp"),
        ("\u{43f}\u{440}\u{438}\u{43c}\u{435}\u{440}.\u{440}\u{444}", "xn--e1afmkfd.xn--p1ai"),
    ] {
        assert_eq!(
            normal(Protocol::Email, &format!("joe@{domain}")),
            Ok(format!("joe@{form}")),
            "{domain:?}"
        );
        assert_eq!(normal(Protocol::Email, &format!("joe@{form}")), Ok(format!("joe@{form}")), "{form}");
    }
    for domain in ["ex%61mple.com", "192.0.2.7", "example.com.", "xn--a.example", "a b.example"] {
        assert_eq!(normal(Protocol::Email, &format!("joe@{domain}")), Err("invalid_email"), "{domain:?}");
    }
}

#[test]
fn a_domain_may_be_one_machines_own() {
    for (text, expected) in [
        ("root@localhost", "root@localhost"),
        ("Root@LOCALHOST", "Root@localhost"),
        ("jo@mailhost", "jo@mailhost"),
        ("jo@m\u{fc}ller", "jo@xn--mller-kva"),
        ("jo@ai", "jo@ai"),
        ("jo@\u{ff4c}ocalhost", "jo@localhost"),
    ] {
        let address = EmailAddress::parse("endpoint", text).unwrap();
        assert_eq!((address.to_string().as_str(), address.has_full_domain()), (expected, false), "{text}");
    }
    assert!(EmailAddress::parse("endpoint", "jo@foo.localhost").unwrap().has_full_domain());
    for text in ["jo@127", "jo@0x7f", "jo@localhost.", "jo@-", "jo@local host", "jo@.", "jo@[localhost]"] {
        assert_eq!(normal(Protocol::Email, text), Err("invalid_email"), "{text}");
    }
}

#[test]
fn quoting_that_is_not_needed_is_dropped() {
    for (local_part, expected) in [
        (r#""jo""#, "jo"),
        (r#""jo.doe""#, "jo.doe"),
        (r#""j\o""#, "jo"),
        (r#""\j\o\.\d""#, "jo.d"),
        (r#""Jo+x=1/2""#, "Jo+x=1/2"),
        (r#""jö""#, "jö"),
        (r#""jo doe""#, r#""jo doe""#),
        (r#""jo\ doe""#, r#""jo doe""#),
        (r#""jo..e.""#, r#""jo..e.""#),
        (r#""jo\.\.e""#, r#""jo..e""#),
        (r#""a@b""#, r#""a@b""#),
        (r#""a\@b""#, r#""a@b""#),
        (r#""a\"b""#, r#""a\"b""#),
        (r#""a\\b""#, r#""a\\b""#),
        (r#""\"jo\"""#, r#""\"jo\"""#),
        (r#""a,b""#, r#""a,b""#),
        ("jo", "jo"),
    ] {
        let formed = normal(Protocol::Email, &format!("{local_part}@example.com"));
        assert_eq!(formed, Ok(format!("{expected}@example.com")), "{local_part}");
        let again = normal(Protocol::Email, &format!("{expected}@example.com"));
        assert_eq!(again, Ok(format!("{expected}@example.com")), "{expected} is the one form");
    }
    for local_part in
        [r#""jo"#, r#"jo""#, r#""jo"doe""#, r#""jo\""#, r#"j"o"e"#, r#"""#, r#"a"b"#, r#""jo".doe"#]
    {
        assert_eq!(
            normal(Protocol::Email, &format!("{local_part}@example.com")),
            Err("invalid_email"),
            "{local_part}"
        );
    }
}

#[test]
fn stray_dots_before_the_at_are_refused_in_words_and_taken_in_quotes() {
    for local_part in ["a..b", "abc.", ".abc", "a...b", "a.b..", "."] {
        let refused = EmailAddress::parse("endpoint", &format!("{local_part}@docomo.ne.jp")).unwrap_err();
        assert!(refused.code == "invalid_email" && refused.message.contains("quotes"), "{}", refused.message);
        let quoted = format!("\"{local_part}\"@docomo.ne.jp");
        assert_eq!(normal(Protocol::Email, &quoted), Ok(quoted.clone()));
    }
}

#[test]
fn a_trunk_zero_is_left_out_or_refused_in_words() {
    for (text, expected) in [
        ("+44 (0)20 7946 0958", "+442079460958"),
        ("+49(0)151 12345678", "+4915112345678"),
        ("+353 (0) 1 234 5678", "+35312345678"),
        ("+44 020 7946 0958", ""),
        ("+4902079460958", ""),
        ("+39 (0)6 1234 5678", ""),
        ("+39 06 1234 5678", "+390612345678"),
        ("+82 (0)10 1234 5678", "+821012345678"),
        ("+1 (0) 202 555 0123", "+12025550123"),
        ("+971 050 123 4567", ""),
        ("+44 0(20) 7946 0958", ""),
        ("+225 07 12 34 56 78", "+2250712345678"),
        ("(0)151 12345678", ""),
        ("+355 (0)69 212 3456", "+355692123456"),
        ("+355 069 212 3456", ""),
        ("+998 (0) 90 123 45 67", "+998901234567"),
        ("+378 0549 123456", "+3780549123456"),
        ("+7 (0) 495 123 45 67", "+74951234567"),
        ("+44 20 (0) 7946 0958", ""),
        ("+44 (0)(20) 7946 0958", "+442079460958"),
        ("+44 ( 0 ) 20 7946 0958", ""),
        ("+44 (0)(0)20 7946 0958", ""),
        ("+44 (0)020 7946 0958", ""),
        ("+44 (00)20 7946 0958", ""),
        ("+44-(0)-20-7946-0958", ""),
        ("+44\u{a0}(0)20\u{a0}7946\u{a0}0958", ""),
        ("+44 [0]20 7946 0958", ""),
        ("+44 \u{ff08}0\u{ff09}20 7946 0958", ""),
        ("+44 (0)20 7946 0958 ext. 5", ""),
        ("+44 (0)", ""),
        ("0044 (0)20 7946 0958", ""),
        ("+36 (06) 1 234 5678", ""),
        ("+52 (01) 55 1234 5678", ""),
        ("+33(0)1.42.68.53.00", "+33142685300"),
        ("+61 (0)2 9374 4000", "+61293744000"),
        ("+61 (2) 9374 4000", "+61293744000"),
        ("+54 (0)11 4321 1234", "+541143211234"),
        ("+229 01 23 45 67 89", "+2290123456789"),
    ] {
        match PhoneNumber::parse("endpoint", text) {
            Ok(number) => assert_eq!(number.to_string(), expected, "{text}"),
            Err(refused) => {
                assert!(expected.is_empty(), "{text}: {}", refused.message);
                assert!(refused.code == "invalid_phone", "{text}");
            }
        }
    }
}

#[test]
fn a_trunk_prefix_that_is_no_zero_is_refused_in_words() {
    for (text, expected) in [
        ("+7 (8) 495 123 45 67", "has 8 behind the country code +7:"),
        ("+7 8 812 123 45 67", "has 8 behind the country code +7:"),
        ("+7 812 123 45 67", "+78121234567"),
        ("+7 (800) 123-45-67", "+78001234567"),
        ("+1 (1) 202 555 0123", "has 1 behind the country code +1:"),
        ("+1 1-202-555-0123", "has 1 behind the country code +1:"),
        ("+1 (202) 555-0123", "+12025550123"),
        ("+370 (8) 612 34567", "has 8 behind the country code +370:"),
        ("+370 612 34567", "+37061234567"),
        ("+375 (80) 29 123 45 67", "has 80 behind the country code +375:"),
        ("+375 8 029 123 45 67", "has 80 behind the country code +375:"),
        ("+375 29 123 45 67", "+375291234567"),
        ("+993 8 65 12 34 56", "has 8 behind the country code +993:"),
        ("+993 65 12 34 56", "+99365123456"),
    ] {
        let said = PhoneNumber::parse("endpoint", text).map_or_else(|no| no.message, |it| it.to_string());
        assert!(said == expected || said.contains("behind") && said.contains(expected), "{text}: {said}");
    }
}

#[test]
fn a_phone_number_loses_its_spaces_and_brackets() {
    assert_eq!(normal(Protocol::Sms, "+49 (151) 123-45.678"), Ok("+4915112345678".to_owned()));
    assert_eq!(normal(Protocol::Sms, "+1234567"), Ok("+1234567".to_owned()));
}

#[test]
fn what_is_no_international_phone_number_is_refused() {
    for text in [
        "",
        "+",
        "015112345678",
        "+0151123456",
        "+123456",
        "+1234567890123456",
        "+12345a7",
        "++1234567",
        "+١٢٣٤٥٦٧",
    ] {
        assert_eq!(normal(Protocol::Sms, text), Err("invalid_phone"), "{text}");
    }
}

#[test]
fn urls_of_one_receiver_are_equal() {
    let one = Endpoint::parse(Protocol::Webhook, "HTTPS://Example.COM:443/a/../hook?x=1#top").unwrap();
    assert_eq!(one, Endpoint::parse(Protocol::Webhook, "https://example.com/hook?x=1").unwrap());
    assert_eq!(normal(Protocol::Webhook, "http://example.com"), Ok("http://example.com/".to_owned()));
}

#[test]
fn what_is_no_absolute_url_without_credentials_is_refused() {
    let long = format!("https://example.com/{}", "é".repeat(400));
    for text in [
        "",
        "example.com/hook",
        "/hook",
        "ftp://example.com/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://",
        "https://jo@example.com/",
        "https://jo:pw@example.com/",
        "https://:pw@example.com/",
        long.as_str(),
    ] {
        assert_eq!(normal(Protocol::Webhook, text), Err("invalid_url"), "{text}");
    }
    assert!(WebhookUrl::parse("endpoint", &format!("https://example.com/{}", "a".repeat(2_028))).is_ok());
    assert!(WebhookUrl::parse("endpoint", &format!("https://example.com/{}", "a".repeat(2_029))).is_err());
}

#[test]
fn an_error_names_the_field_it_is_about() {
    assert_eq!(PhoneNumber::parse("customerPhone", "x").unwrap_err().field, "customerPhone");
    assert_eq!(Endpoint::parse(Protocol::Email, "x").unwrap_err().field, "endpoint");
    assert_eq!(Protocol::parse("fax").unwrap_err().field, "protocol");
}

#[test]
fn a_protocol_is_read_back_from_its_name() {
    for protocol in Protocol::ALL {
        assert_eq!(Protocol::parse(protocol.name()), Ok(protocol));
    }
}

#[test]
fn a_masked_endpoint_shows_enough_to_recognise_and_too_little_to_use() {
    let masked = |protocol, text: &str| Endpoint::parse(protocol, text).unwrap().masked();
    assert_eq!(masked(Protocol::Email, "jo@example.com"), "j***@example.com");
    assert_eq!(masked(Protocol::Email, "é@example.com"), "é***@example.com");
    assert_eq!(masked(Protocol::Email, "\"a@b c\"@example.com"), "\"***@example.com");
    assert_eq!(masked(Protocol::Sms, "+4915112345678"), "+491***78");
    assert_eq!(
        masked(Protocol::Webhook, "https://example.com:8443/secret?token=1"),
        "https://example.com/***"
    );
    assert_eq!(masked(Protocol::Webhook, "http://[::1]:80/x"), "http://[::1]/***");
}

/// What rules of another time let through, and what damage leaves.
const NO_LONGER_TAKEN: [&str; 12] = [
    "",
    "jo",
    "@",
    "jo@",
    "+1",
    "+49é15",
    "日本日本日本日本",
    "http://",
    "https://exa mple.com/",
    "https://user:pw@example.com/hook",
    "ftp://example.com/",
    "https://[::1/",
];

#[test]
fn an_endpoint_that_was_stored_is_taken_back_as_it_stands_whatever_rules_hold_today() {
    for (protocol, text) in Protocol::ALL.into_iter().flat_map(|one| NO_LONGER_TAKEN.map(|text| (one, text)))
    {
        let endpoint = Endpoint::stored(protocol, text.to_owned());
        assert_eq!((endpoint.protocol(), endpoint.to_string()), (protocol, text.to_owned()));
        assert!(Endpoint::parse(protocol, text).is_err(), "{protocol} {text}");
    }
}

#[test]
fn a_stored_endpoint_without_a_form_to_recognise_is_masked_whole() {
    let masked = |protocol, text: &str| Endpoint::stored(protocol, text.to_owned()).masked();
    for text in ["", "jo", "@", "+1", "+49é15", "日本日本日本日本x", "+491512"] {
        assert_eq!(masked(Protocol::Email, text), "***", "{text}");
        assert!(masked(Protocol::Sms, text).contains("***"), "{text}");
        assert_eq!(masked(Protocol::Webhook, text), "***", "{text}");
    }
    assert_eq!(masked(Protocol::Sms, "+4915"), "***");
    assert_eq!(masked(Protocol::Sms, "+1234567"), "+123***67");
    assert_eq!(masked(Protocol::Webhook, "https://user:pw@example.com/hook"), "https://example.com/***");
    assert_eq!(masked(Protocol::Chat, "ftp://example.com/secret"), "***");
}

#[test]
fn only_a_url_of_the_web_with_a_host_is_called() {
    let url = |text: &str| match Endpoint::stored(Protocol::Webhook, text.to_owned()) {
        Endpoint::Webhook(url) => url.url().map(ToString::to_string),
        other => panic!("{other:?}"),
    };
    assert_eq!(url("https://user:pw@example.com/hook").as_deref(), Some("https://user:pw@example.com/hook"));
    for text in ["", "hook", "http://", "ftp://example.com/", "file:///etc/passwd", "https://exa mple.com/"] {
        assert_eq!(url(text), None, "{text}");
    }
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-zA-Z0-9\"+.é ]{1,9}@[a-zA-Z0-9é.-]{1,9}\\.[a-z]{2,5}",
        "\\+[0-9 ().-]{5,20}",
        "https?://[a-z0-9.:\\[\\]@%é-]{1,12}(/[a-z/?#%]{0,9})?",
    ]
}

proptest! {
    #[test]
    fn whatever_is_accepted_is_in_normal_form_and_never_masked_to_the_whole(text in texts()) {
        for protocol in Protocol::ALL {
            let Ok(endpoint) = Endpoint::parse(protocol, &text) else { continue };
            let normal = endpoint.to_string();
            prop_assert_eq!(endpoint.protocol(), protocol);
            prop_assert!(!normal.contains(char::is_control));
            let bare_host = normal.starts_with("http") && normal.ends_with('/');
            prop_assert!(bare_host || !endpoint.masked().contains(&normal));
            prop_assert_ne!(&endpoint.masked(), &normal);
            prop_assert_eq!(Endpoint::parse(protocol, &normal), Ok(endpoint));
        }
    }

    #[test]
    fn whatever_was_stored_is_read_and_masked_without_a_panic(text in texts()) {
        for protocol in Protocol::ALL {
            let endpoint = Endpoint::stored(protocol, text.clone());
            prop_assert_eq!(endpoint.to_string(), text.clone());
            prop_assert!(endpoint.masked().contains("***"));
            if let Ok(parsed) = Endpoint::parse(protocol, &text) {
                let back = Endpoint::stored(protocol, parsed.to_string());
                prop_assert_eq!(back.masked(), parsed.masked());
                prop_assert_eq!(back, parsed);
            }
        }
    }

    #[test]
    fn an_idempotency_key_is_equal_quoted_and_bare(key in "[!#-~]{16,255}", any in ".*") {
        let bare = IdempotencyKey::parse(&key);
        prop_assert_eq!(bare.as_ref().map(IdempotencyKey::as_str), Ok(key.as_str()));
        prop_assert_eq!(IdempotencyKey::parse(&format!("\"{key}\"")), bare);
        if let Ok(key) = IdempotencyKey::parse(&any) {
            prop_assert!(any.contains(key.as_str()) && (16..=255).contains(&key.as_str().len()));
        }
    }

    #[test]
    fn an_unbalanced_quote_is_refused(key in "[!#-~]{16,250}") {
        for unbalanced in [format!("\"{key}"), format!("{key}\"")] {
            prop_assert!(IdempotencyKey::parse(&unbalanced).is_err());
        }
    }
}
