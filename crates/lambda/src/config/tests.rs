use super::*;

const STREAM: [(&str, &str); 3] = [
    ("_HANDLER", "stream"),
    ("ORDERBELL_TABLE", "Orders"),
    ("ORDERBELL_TOPIC_ARN", "arn:aws:sns:eu-central-1:123456789012:orders"),
];

/// What the environment reads as with `changes` on top of what a part without HTTP needs.
fn read(changes: &[(&str, &str)]) -> Result<Config, Mistakes> {
    Config::read(|name| {
        let known = changes.iter().chain(&STREAM).find(|(known, _)| *known == name);
        known.map(|(_, value)| (*value).to_owned())
    })
}

fn http_with(changes: &[(&str, &str)]) -> Result<HttpConfig, Mistakes> {
    let changes = [changes, &[("_HANDLER", "http"), ("ORDERBELL_INTAKE", "open")]].concat();
    read(&changes).map(|config| match config.role {
        FunctionRole::Http(http) => http,
        other => panic!("{other:?}"),
    })
}

/// Whether the program starts with that value in a variable, beside what it needs.
pub(super) fn accepts(variable: &str, value: &str) -> bool {
    http_with(&[(variable, value)]).is_ok()
}

/// A key's hash, as it is shown.
pub(super) fn hash() -> String {
    web::KeyHash::of("a key that is long enough").to_string()
}

fn mistakes(changes: &[(&str, &str)]) -> String {
    read(changes).unwrap_err().to_string()
}

#[test]
fn the_handlers_name_says_which_part_it_is() {
    assert!(matches!(read(&[]).unwrap().role, FunctionRole::Stream));
    assert!(matches!(read(&[("_HANDLER", "sweep")]).unwrap().role, FunctionRole::Sweep));
    assert!(http_with(&[]).is_ok());
    assert_eq!(
        mistakes(&[("_HANDLER", "index.main")]),
        "_HANDLER: must be http, stream or sweep, not index.main"
    );
}

#[test]
fn all_mistakes_are_named_at_once() {
    let said = mistakes(&[
        ("_HANDLER", "http"),
        ("ORDERBELL_TABLE", ""),
        ("ORDERBELL_TOPIC_ARN", "orders"),
        ("ORDERBELL_LOG", "info,aws=loud"),
        ("ORDERBELL_INTAKE_KEYS", "shop"),
    ]);
    for role in [
        "ORDERBELL_TABLE: is missing",
        "ORDERBELL_TOPIC_ARN: must be a topic's ARN",
        "ORDERBELL_LOG: must be a log filter",
        "ORDERBELL_INTAKE_KEYS: must be entries NAME=HASH",
        "ORDERBELL_INTAKE: is missing: must be chosen",
    ] {
        assert!(said.contains(role), "{role:?} is not in {said:?}");
    }
}

#[test]
fn only_the_http_part_asks_who_may_place_orders() {
    assert!(read(&[("_HANDLER", "stream")]).is_ok());
    assert!(mistakes(&[("_HANDLER", "http")]).contains("ORDERBELL_INTAKE"));
    assert!(mistakes(&[("_HANDLER", "http"), ("ORDERBELL_INTAKE", "maybe")]).contains("must be open or key"));
}

#[test]
fn settings_have_the_syntax_of_the_one_machine_host() {
    let hash = web::KeyHash::of("a key that is long enough");
    let http = http_with(&[
        ("ORDERBELL_INTAKE", "key"),
        ("ORDERBELL_INTAKE_KEYS", &format!("shop={hash},kiosk={hash}")),
        ("ORDERBELL_ADMIN_KEY_HASH", &hash.to_string()),
        ("ORDERBELL_CORS_ALLOW_ORIGINS", "https://shop.example,https://kiosk.example"),
        ("ORDERBELL_IDEMPOTENCY_LIFETIME_HOURS", "48"),
    ])
    .unwrap();
    let web::OrderAuth::Keys(keys) = http.order_auth else { panic!("keys are wanted") };
    assert_eq!(keys.iter().map(|key| key.name.as_str()).collect::<Vec<_>>(), ["shop", "kiosk"]);
    assert!(http.admin_key.is_some_and(|key| key.matches(&hash)));
    assert_eq!(http.cors_allow_origins, ["https://shop.example", "https://kiosk.example"]);
    assert_eq!(http.idempotency_lifetime, Duration::from_hours(48));
}

#[test]
fn without_an_admin_keys_hash_there_is_no_admin() {
    assert!(http_with(&[]).unwrap().admin_key.is_none());
    assert!(http_with(&[("ORDERBELL_ADMIN_KEY_HASH", "")]).unwrap().admin_key.is_none());
    assert!(http_with(&[("ORDERBELL_ADMIN_KEY_HASH", "secret")]).is_err());
}

#[test]
fn a_fifo_topic_is_refused_with_the_reason() {
    let fifo = [("ORDERBELL_TOPIC_ARN", "arn:aws:sns:eu-central-1:123456789012:orders.fifo")];
    assert!(mistakes(&fifo).contains("FIFO"));
}

#[test]
fn orders_are_placed_at_the_root_too_unless_other_paths_are_named() {
    let paths = |changes: &[(&str, &str)]| -> Vec<String> {
        let paths = http_with(changes).unwrap().order_path_aliases;
        paths.iter().map(|path| path.as_str().to_owned()).collect()
    };
    assert_eq!(paths(&[]), ["/"]);
    assert_eq!(paths(&[("ORDERBELL_INTAKE_PATHS", "/orders/new,/")]), ["/", "/orders/new"]);
    assert!(http_with(&[("ORDERBELL_INTAKE_PATHS", "orders")]).is_err());
}

#[test]
fn lambdas_own_log_level_counts_unless_ours_is_set() {
    let level = |changes: &[(&str, &str)]| read(changes).unwrap().log.default_level();
    assert_eq!(level(&[]), Some(LevelFilter::INFO));
    assert_eq!(level(&[("AWS_LAMBDA_LOG_LEVEL", "DEBUG")]), Some(LevelFilter::DEBUG));
    assert_eq!(level(&[("AWS_LAMBDA_LOG_LEVEL", "FATAL")]), Some(LevelFilter::ERROR));
    assert_eq!(
        level(&[("AWS_LAMBDA_LOG_LEVEL", "DEBUG"), ("ORDERBELL_LOG", "warn")]),
        Some(LevelFilter::WARN)
    );
}

#[test]
fn a_key_attribute_that_the_items_have_besides_is_refused_by_its_name() {
    for key in aws::TableOptions::ATTRIBUTES {
        let said = mistakes(&[("ORDERBELL_TABLE_KEY", key)]);
        assert_eq!(
            said,
            format!("ORDERBELL_TABLE_KEY: must not be {key}: the items have another attribute of that name")
        );
    }
    assert_eq!(read(&[("ORDERBELL_TABLE_KEY", "FileName")]).unwrap().table.key, "FileName");
    assert_eq!(read(&[]).unwrap().table.key, "orderId");
}
