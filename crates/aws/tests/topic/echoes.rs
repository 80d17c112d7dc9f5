//! What AWS repeats of an order in what it says of a call, and who sees it.

use std::sync::Mutex;

use application::ports::Publisher as _;
use tracing_subscriber::fmt::MakeWriter as _;

use crate::fixtures::orders;
use crate::scripted::{Answer, Aws, ECHO, accept, error};

/// What is logged while orders are published, which SNS answers so, and a table that fails to mark them.
async fn logged(mut said: impl FnMut(&crate::scripted::Call) -> Answer + Send + 'static) -> String {
    let written: &Mutex<Vec<u8>> = Box::leak(Box::default());
    let lines =
        tracing_subscriber::fmt().json().with_max_level(tracing_subscriber::filter::LevelFilter::TRACE);
    let _guard = tracing::subscriber::set_default(lines.with_writer(|| written.make_writer()).finish());
    let aws = Aws::playing(move |call| said(call)).await;
    aws.break_table();
    aws.topic.publish(&orders(0..2)).await.unwrap();
    let bytes = written.lock().unwrap().clone();
    let ours = |line: &&str| line.contains("\"target\":\"aws::");
    String::from_utf8(bytes).unwrap().lines().filter(ours).collect::<Vec<_>>().join("\n")
}

fn failed(code: &str) -> String {
    format!(
        "<member><Id>{{id}}</Id><Code>{code}</Code><Message>Invalid parameter: {ECHO}</Message><SenderFault>true\
         </SenderFault></member>"
    )
}

#[tokio::test]
async fn what_aws_repeats_of_an_order_stays_out_of_the_log() {
    for (number, word) in [
        (0, "InvalidParameter"),
        (1, "ValidationError"),
        (2, "InternalError"),
        (3, "AuthorizationError"),
        (4, "an order was not published"),
        (5, "unknown"),
        (6, "answered 200, code unknown"),
        (7, "unknown"),
        (8, "was published and not marked"),
    ] {
        let log = logged(move |call| match number {
            0 => error(400, "InvalidParameter", ECHO),
            1 => error(400, "ValidationError", &format!("Value '{ECHO}' at 'message' failed to satisfy")),
            2 => error(500, "InternalError", ECHO),
            3 => error(403, "AuthorizationError", ECHO),
            4 => accept(call, |_| Some(failed("InvalidParameter"))),
            5 => accept(call, |_| Some(failed(ECHO))),
            6 => (200, format!("<html>{ECHO}</html>")),
            7 => error(400, ECHO, ECHO),
            _ => accept(call, |_| None),
        })
        .await;
        assert!(log.contains(word), "{number}: {log}");
        for words in [ECHO, "Lovelace", "James"] {
            assert!(!log.contains(words), "{number}: {log}");
        }
    }
}
