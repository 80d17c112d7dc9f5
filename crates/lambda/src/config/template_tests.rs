//! What the template lets through, the program takes: a value that the program would refuse fails while the deployment is
//! validated, before anything that runs is replaced.

use fancy_regex::Regex;
use proptest::prelude::*;

use super::tests::{accepts, hash};

const TEMPLATE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/aws/template.yaml"));

/// A parameter of the template, the variable that it becomes, and pieces of which values are made.
struct Parameter {
    name: &'static str,
    variable: &'static str,
    pieces: &'static [&'static str],
}

const PARAMETERS: [Parameter; 8] = [
    Parameter {
        name: "IntakeKeys",
        variable: "ORDERBELL_INTAKE_KEYS",
        pieces: &[
            "shop", "my.shop", "admin", "admin2", "Admin", "=", "=", ",", "HASH", "HASH", "12ab", "a b", "-",
        ],
    },
    Parameter {
        name: "IntakePaths",
        variable: "ORDERBELL_INTAKE_PATHS",
        pieces: &[
            "/",
            "/orders",
            "/new",
            "/shop",
            "/create-order",
            "/subscriptions",
            "/docs",
            "/docsx",
            "/openapi.json",
            ",",
            "/.",
            "/..",
            "/a.b",
            "~",
            "?",
            "{id}",
            " x",
            "LONG",
        ],
    },
    Parameter {
        name: "AdminKeyHash",
        variable: "ORDERBELL_ADMIN_KEY_HASH",
        pieces: &["HASH", "0", "g", "AB", " "],
    },
    Parameter {
        name: "CorsAllowOrigins",
        variable: "ORDERBELL_CORS_ALLOW_ORIGINS",
        pieces: &[
            "*",
            "https://",
            "http://",
            "shop",
            ".example",
            ".com",
            "localhost",
            "SHOP",
            ":3000",
            ":443",
            ":80",
            ":65535",
            ":65536",
            ":0",
            "/",
            ",",
            "-",
            "_",
            "?",
        ],
    },
    Parameter {
        name: "ExistingTable",
        variable: "ORDERBELL_TABLE",
        pieces: &["File", "Meta", "-", "_", ".", "a", "/", " ", "ä", "LONG", "LONG"],
    },
    Parameter {
        name: "TableKey",
        variable: "ORDERBELL_TABLE_KEY",
        pieces: &[
            "kind",
            "order",
            "Id",
            "Time",
            "FileName",
            "newest",
            "leasedUntil",
            " ",
            "#",
            "LONG",
            "LONG",
        ],
    },
    Parameter {
        name: "ExistingTopic",
        variable: "ORDERBELL_TOPIC_ARN",
        pieces: &[
            "arn:aws:sns:eu-central-1:123456789012:",
            "arn:aws-cn:sns:cn-north-1:123456789012:",
            "arn:aws:sqs:eu-central-1:123456789012:",
            "arn:aws:sns:eu-central-1:1234:",
            "arn:aws:sns::",
            "orders",
            "-new",
            ".fifo",
            ":",
            "LONG",
        ],
    },
    Parameter {
        name: "IdempotencyLifetimeHours",
        variable: "ORDERBELL_IDEMPOTENCY_LIFETIME_HOURS",
        pieces: &["1", "2", "8", "76", "60", "61", "1.5", "-", " ", "e"],
    },
];

/// The parameter's pattern and the longest value that the template takes.
fn pattern(parameter: &str) -> (Regex, usize) {
    let (_, rest) = TEMPLATE.split_once(&format!("\n  {parameter}:\n")).unwrap();
    let lines = rest.lines().take_while(|line| line.starts_with("    ") || line.starts_with("  #"));
    let setting = |name: &str| {
        let named = format!("    {name}: ");
        lines.clone().find_map(|line| line.strip_prefix(named.as_str()))
    };
    let pattern = setting("AllowedPattern").unwrap_or_else(|| panic!("{parameter} has no pattern"));
    let pattern: String = serde_json::from_str(pattern).unwrap();
    let longest = setting("MaxLength").map_or(usize::MAX, |most| most.parse().unwrap());
    (Regex::new(&pattern).unwrap(), longest)
}

impl Parameter {
    /// Holds what the template says of a value against what the program does. An empty value is not set at all; blanks
    /// and empty entries in lists, and a number's leading zeros, are the program's alone to forgive.
    fn check(&self, value: &str) -> Result<(), TestCaseError> {
        let (pattern, longest) = pattern(self.name);
        let lets_through = value.len() <= longest && pattern.is_match(value).unwrap();
        let takes = accepts(self.variable, value);
        prop_assert!(
            takes || !lets_through,
            "{} lets {value:?} through, and the program dies of it",
            self.name
        );
        let is_list = matches!(self.name, "IntakeKeys" | "IntakePaths" | "CorsAllowOrigins");
        let is_tidy = |entry: &str| !entry.is_empty() && !entry.contains(' ');
        let is_tidy = if is_list {
            value.split(',').all(is_tidy)
        } else {
            !(self.name == "IdempotencyLifetimeHours" && value.starts_with('0'))
        };
        prop_assert!(!takes || lets_through || !is_tidy, "{} refuses {value:?}, which is right", self.name);
        Ok(())
    }
}

proptest! {
    #[test]
    fn the_template_and_the_program_take_and_refuse_the_same_values(
        which in 0..PARAMETERS.len(),
        places in prop::collection::vec(any::<prop::sample::Index>(), 1..9),
    ) {
        let parameter = &PARAMETERS[which];
        let pieces = places.iter().map(|place| *place.get(parameter.pieces));
        let value: String = pieces.map(|piece| match piece {
            "HASH" => hash(),
            "LONG" => "x".repeat(128),
            piece => piece.to_owned(),
        }).collect();
        parameter.check(&value)?;
    }
}

/// All that the template lets the parameter be.
fn allowed(parameter: &str) -> impl Iterator<Item = &'static str> {
    let (_, rest) = TEMPLATE.split_once(&format!("\n  {parameter}:\n")).unwrap();
    let (_, list) = rest.split_once("AllowedValues: [").unwrap();
    list.split_once(']').unwrap().0.split(',').map(str::trim)
}

#[test]
fn every_language_and_time_zone_that_can_be_chosen_is_known_to_the_program() {
    let zones = allowed("TimeZone").inspect(|zone| assert!(accepts("ORDERBELL_TIME_ZONE", zone), "{zone}"));
    assert!(zones.count() > 400);
    assert!(
        allowed("TimeZone").any(|zone| zone == "UTC")
            && allowed("TimeZone").any(|zone| zone == "Europe/Berlin")
    );
    let languages: Vec<_> = allowed("Language").collect();
    assert_eq!(languages, domain::language::Language::ALL.map(domain::language::Language::name));
    assert!(languages.iter().all(|language| accepts("ORDERBELL_LANGUAGE", language)));
    assert!(!accepts("ORDERBELL_LANGUAGE", "ja") && !accepts("ORDERBELL_TIME_ZONE", "Mars/Olympus_Mons"));
}

#[test]
fn what_was_once_let_through_and_killed_the_function_is_refused_before() {
    let hash = hash();
    let refused: [(&str, &[&str]); 8] = [
        (
            "IntakeKeys",
            &[
                "shop",
                "shop=12",
                &format!("admin={hash}"),
                &format!("={hash}"),
                &format!("shop={hash};app={hash}"),
                &format!("shop={hash} app={hash}"),
                &format!("shop={hash}x"),
                &format!("shop:{hash}"),
                &hash,
            ],
        ),
        ("TableKey", &["kind", "details", "newest", "unpublished", "expiresAt", "leasedUntil"]),
        (
            "CorsAllowOrigins",
            &[
                "https://shop.example/",
                "shop.example",
                "https://Shop.example",
                "https://shop.example:443",
                "null",
                "https://shop.example, *",
                "https://shop.example/cart",
                "https://*.shop.example",
                "http://shop.example:80",
                "file://shop",
                "https://shop.example:65536",
            ],
        ),
        (
            "ExistingTopic",
            &[
                "orders",
                "arn:aws:sns:eu-central-1:123456789012:orders.fifo",
                "arn:aws:sqs:eu-central-1:123456789012:orders",
                "arn:aws:sns:eu-central-1:12:orders",
                "arn:aws:sns:eu-central-1:123456789012:orders:9a3c",
                "orders.fifo",
                "arn:aws:sns:eu-central-1:123456789012:",
                "arn:aws:sns:eu-central-1:123456789012:or ders",
                "https://sns.eu-central-1.amazonaws.com/123456789012/orders",
            ],
        ),
        ("IdempotencyLifetimeHours", &["0", "1.5", "8761", "24h", "-1"]),
        (
            "IntakePaths",
            &["orders", "/a/", "/subscriptions", "/a b", "/../x", "/docs", "/a,/console/x", "/a//b"],
        ),
        (
            "AdminKeyHash",
            &["secret", "12ab", &format!("{hash}0"), &format!(" {hash}"), &format!("admin={hash}")],
        ),
        (
            "ExistingTable",
            &["ab", "a/b", "a b", "arn:aws:dynamodb:eu-central-1:123456789012:table/orders", "tische-ä"],
        ),
    ];
    for (name, values) in refused {
        for value in values {
            assert!(!pattern(name).0.is_match(value).unwrap(), "{name} lets {value:?} through");
        }
    }
}

#[test]
fn the_defaults_and_what_the_documents_show_are_let_through() {
    let hash = hash();
    for (name, value) in [
        ("IntakeKeys", format!("shop={hash},app={hash}")),
        ("IntakePaths", "/orders/new,/shop/create-order".to_owned()),
        ("IntakePaths", "/".to_owned()),
        ("TableKey", "FileName".to_owned()),
        ("TableKey", "orderId".to_owned()),
        ("CorsAllowOrigins", "*".to_owned()),
        (
            "CorsAllowOrigins",
            "https://shop.example.com,https://www.example.com,http://localhost:3000".to_owned(),
        ),
        ("ExistingTopic", "arn:aws:sns:eu-central-1:123456789012:file-upload-notification".to_owned()),
        ("ExistingTable", "FileMetaData".to_owned()),
        ("ExistingTableStream", "2026-01-31T12:00:00.000".to_owned()),
        ("IdempotencyLifetimeHours", "24".to_owned()),
        ("SubscriberEmail", "you@example.com".to_owned()),
    ] {
        assert!(pattern(name).0.is_match(&value).unwrap(), "{name} refuses {value:?}");
    }
}
