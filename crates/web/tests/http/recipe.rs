//! The recipe's own handler as the judge: where it takes an order, so do we, and all that was sent can be read back.

use std::io::Write;
use std::process::{Command, Stdio};

use domain::notification;
use domain::order::{Order, OrderDetails, OrderId};
use domain::reader::Reader;
use serde_json::{Value, json};

use crate::host::Host;

const HANDLER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recipe_handler.py");

/// Bodies that the recipe takes and we do not, and why.
const EXCEPTIONS: [(&str, &str); 5] = [
    (r#"{"customerName":" ","productName":"Mouse"}"#, "a name of white space is no name"),
    (r#"{"customerName":"Jo","productName":"\t\n"}"#, "a name of white space is no name"),
    (r#"{"customerName":"\u200b","productName":"Mouse"}"#, "nobody would see the name"),
    (r#"{"customerName":"Jo","productName":"\u3164"}"#, "nobody would see the name"),
    (r#"{"customerName":"Jo","productName":"Mouse","x":NaN}"#, "NaN is no JSON"),
];

/// Values of which a name may be, and of which anything else may be.
const VALUES: [&str; 30] = [
    r#""Wireless Mouse""#,
    r#"" Wireless Mouse ""#,
    r#""2 × Tee \"x\" <b>""#,
    r#""مريم 👩‍🚀""#,
    r#""漢字""#,
    r#""e\u0301""#,
    r#""Jo\nTotal: 0""#,
    r#""a\u0000b""#,
    r#""\u202eabc""#,
    "7",
    "-0",
    "true",
    r#"["a"]"#,
    r#"{"a":1}"#,
    r#"{"a":[null,{"b":[]}]}"#,
    "12345678901234567890123",
    "null",
    "false",
    "0",
    "[]",
    "{}",
    r#""""#,
    "1.5",
    "1e400",
    r#""19,90""#,
    r#""two""#,
    r#""EUR""#,
    "[1,2,3]",
    r#""4000-0000""#,
    r#""+49 151 12345678""#,
];

/// Members that an order may have besides.
const MEMBERS: [&str; 18] = [
    "quantity",
    "items",
    "customerEmail",
    "customerPhone",
    "currency",
    "total",
    "note",
    "attributes",
    "reference",
    "deliveryAddress",
    "deliverAt",
    "locale",
    "extra",
    "warnings",
    "orderId",
    "orderTime",
    "requestId",
    "Total",
];

fn bodies() -> Vec<String> {
    let mut bodies = vec![
        "{}".to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
        "{".to_owned(),
        String::new(),
        r#"{"customerName":"John Doe","productName":"Wireless Mouse"}"#.to_owned(),
    ];
    for value in VALUES {
        bodies.push(format!(r#"{{"customerName":{value},"productName":"Mouse"}}"#));
        bodies.push(format!(r#"{{"customerName":"Jo","productName":{value}}}"#));
    }
    for (place, member) in MEMBERS.iter().enumerate() {
        // Each member meets a third of the values, and each value members of every kind.
        for value in VALUES.iter().skip(place % 3).step_by(3) {
            bodies.push(format!(r#"{{"customerName":"Jo","productName":"Mouse","{member}":{value}}}"#));
        }
    }
    bodies.push(format!(r#"{{"customerName":"{}","productName":"Mouse"}}"#, "x".repeat(60_000)));
    bodies.push(format!(
        r#"{{"customerName":"Jo","productName":"Mouse","x":{}1{}}}"#,
        "[".repeat(900),
        "]".repeat(900)
    ));
    bodies.extend(EXCEPTIONS.map(|(body, _)| body.to_owned()));
    bodies
}

/// What the recipe's handler answers to each.
fn judged(bodies: &[String]) -> Vec<Value> {
    let python = std::env::var_os("ORDERBELL_PYTHON").unwrap_or_else(|| "python3".into());
    let mut handler =
        Command::new(python).arg(HANDLER).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = handler.stdin.take().unwrap();
    let lines: String = bodies.iter().flat_map(|body| [json!(body).to_string(), "\n".to_owned()]).collect();
    let writing = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = handler.wait_with_output().unwrap();
    writing.join().unwrap().unwrap();
    let answers = String::from_utf8(output.stdout).unwrap();
    answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Whether a value says anything: what is left out, null or blank says nothing.
fn says_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(values) => !values.is_empty(),
        Value::Object(members) => members.values().any(|member| !member.is_null()),
        _ => true,
    }
}

#[tokio::test]
async fn where_the_recipe_takes_an_order_so_do_we_and_everything_sent_can_be_read_back() {
    let host = Host::start();
    let bodies = bodies();
    assert!(bodies.len() >= 200);
    let judged = judged(&bodies);
    assert_eq!(judged.len(), bodies.len());
    let mut taken = 0;
    for (body, judged) in bodies.iter().zip(judged).filter(|(_, judged)| judged["status"] == 200) {
        taken += 1;
        let answer = host.place(body).await;
        if EXCEPTIONS.iter().any(|(exception, _)| exception == body) {
            assert_eq!(answer.status, 400, "it is no exception any more: {body}");
            continue;
        }
        assert_eq!(answer.status, 200, "{}\n{}", answer.text, &body[..body.len().min(200)]);
        let placed = answer.json();
        assert_eq!(placed["message"], judged["body"]["message"]);
        let id: OrderId = placed["orderId"].as_str().unwrap().parse().unwrap();
        assert_begins_as_the_recipes(&judged, body, id);
        let stored = host.manage("GET", &format!("/orders/{id}"), "").await.json();
        let Ok(Value::Object(sent)) = serde_json::from_str::<Value>(body) else { continue };
        for (name, value) in sent.iter().filter(|(_, value)| says_something(value)) {
            let here = if ["orderId", "orderTime", "requestId", "extra", "warnings"].contains(&name.as_str())
            {
                &Value::Null
            } else {
                &stored[name]
            };
            let kept = &stored["extra"][name];
            assert!(!here.is_null() || !kept.is_null(), "{name} is lost: {body}\n{stored}");
            if here.is_null() && name != "x" {
                assert_eq!(kept, value, "{body}");
            }
        }
    }
    assert!(taken >= 150, "{taken}");
}

/// The text's first four lines are the recipe's, where both names are texts of one line that turn no direction.
fn assert_begins_as_the_recipes(judged: &Value, body: &str, id: OrderId) {
    let sent: Value = serde_json::from_str(body).unwrap_or_default();
    let plain = |name: &str| {
        let text = sent[name].as_str()?;
        (text.chars().count() <= 1_000 && !text.contains(|c: char| c.is_control() || c == '\u{202e}'))
            .then_some(())
    };
    if plain("customerName").and(plain("productName")).is_none() {
        return;
    }
    let details = OrderDetails::parse(body.as_bytes()).unwrap();
    let order = Order { id, time: domain::Timestamp::UNIX_EPOCH, details, request_id: String::new() };
    let its = judged["message"].as_str().unwrap();
    let its_id = judged["body"]["orderId"].as_str().unwrap();
    assert_eq!(
        notification::headline(&order, &Reader::default()),
        its.replace(its_id, &id.to_string()),
        "{body}"
    );
    assert!(
        notification::text(&order, &Reader::default())
            .starts_with(&notification::headline(&order, &Reader::default()))
    );
}
