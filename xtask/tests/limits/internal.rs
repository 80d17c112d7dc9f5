//! The constants that are numbers and bound nothing that anyone meets, by why.

/// Each reason, and the constants that it holds for.
const BOUND_NOTHING: [(&str, &[&str]); 10] = [
    (
        "the place of a column in a query's answer",
        &[
            "sqlite::due::ORDER_SEQ",
            "sqlite::due::DELIVERY_SEQ",
            "sqlite::due::DELIVERY_ID",
            "sqlite::due::KIND",
            "sqlite::due::NOTICE",
            "sqlite::due::ATTEMPTS",
            "sqlite::due::ATTEMPTS_USED",
            "sqlite::due::DUE_AT",
        ],
    ),
    (
        "a number of a protocol, a format or another program's",
        &[
            "channels::email::stage_error::SERVICE_CLOSING",
            "channels::email::smtp_session::BAD_SEQUENCE",
            "channels::email::login::UNRECOGNIZED_AUTH_TYPE",
            "channels::email::refusal::LOGIN_CODES",
            "channels::twilio::ACCESS_DENIED",
            "channels::twilio::TOO_MANY_REQUESTS",
            "channels::twilio::OPTED_OUT",
            "channels::twilio::QUEUE_IS_FULL",
            "channels::twilio::SENDER_ERRORS",
            "channels::twilio::DELIVERY_ERRORS",
            "server::READER_WENT_AWAY",
            "sqlite::APPLICATION_ID",
            "sqlite::LATEST",
        ],
    ),
    (
        "the judge's own copy of a limit that has a row",
        &["oracle::subscriptions::FAILS_AT_LEAST", "oracle::subscriptions::FAILS_AT_LEAST_FOR"],
    ),
    (
        "the form of a token or a reference, each of which has it",
        &[
            "application::BITS_BEHIND_TIME",
            "application::ID_DIGITS",
            "domain::short_reference::LENGTH",
            "domain::short_reference::GROUP",
            "domain::short_reference::PERIOD",
            "domain::short_reference::MULTIPLIERS",
        ],
    ),
    (
        "a unit",
        &[
            "application::find::MILLISECOND",
            "aws::MICROS_IN_A_SECOND",
            "domain::id::MILLISECOND",
            "sqlite::periods::HOUR",
        ],
    ),
    ("follows from another that has a row", &["application::fetch::FETCH_LIMIT", "domain::Minutes::LONGEST"]),
    ("a place that is always free, or none", &["server::NOT_WAITING", "lambda::UNSET"]),
    (
        "how a table is drawn",
        &[
            "channels::forms::SHORT",
            "server::MIN_TEXT_WIDTH",
            "server::MIN_QUOTE_WIDTH",
            "server::table::INDENT",
            "server::COLUMN_GAP",
        ],
    ),
    (
        "what something is reckoned to take, for a bound that has a row",
        &["channels::fitting::ROW_BYTES", "channels::fitting::LINE_BYTES"],
    ),
    (
        "how large a step is, which changes what it costs and not what comes of it",
        &[
            "application::giving_way::SHARE",
            "application::giving_way::SMOOTHING",
            "application::giving_way::HORIZON",
            "application::rate_limiter::MAX_INTERVAL",
            "application::rate_limiter::BURST_WINDOW",
            "channels::smtp_stream::CHUNK_BYTES",
            "server::LOG_REPEAT_INTERVAL",
            "server::GATHER_TIME",
            "server::RETRY_PAUSE",
            "sqlite::STRETCH",
            "sqlite::backup::STEPS_PER_PROGRESS",
            "sqlite::known_keys::MIN_MAINTENANCE_ROWS",
            "sqlite::known_keys::MAINTENANCE_ROWS_PER_KEY",
        ],
    ),
];

/// Their names.
pub(crate) fn names() -> Vec<&'static str> {
    BOUND_NOTHING.iter().flat_map(|(_, names)| names.iter().copied()).collect()
}
