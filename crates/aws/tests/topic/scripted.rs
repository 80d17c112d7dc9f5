//! SNS as the test tells it to answer, and a table that remembers marks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws::connect::{self, Clients};
use aws::{Table, TableOptions, Topic};
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::order::OrderId;
use domain::reader::Reader;
use host::SetClock;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::fixtures::start;

pub(crate) const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:orders";

/// What a customer wrote, as AWS may repeat it in what it says of a call.
pub(crate) const ECHO: &str = "Ada Lovelace of 12 St James Square";

/// What SNS was asked: the fields of the form, `Action` among them.
pub(crate) type Call = BTreeMap<String, String>;
/// What it answers: a status and a document.
pub(crate) type Answer = (u16, String);

type Script = Box<dyn FnMut(&Call) -> Answer + Send>;

/// A topic, and the AWS that the test plays.
pub(crate) struct Aws {
    pub(crate) topic: Topic,
    played: Arc<Mutex<Played>>,
}

struct Played {
    script: Script,
    calls: Vec<Call>,
    marked: Vec<String>,
    table_fails: bool,
}

impl Aws {
    /// Each call to SNS is answered by the script.
    #[expect(clippy::disallowed_methods, reason = "AWS is another party and runs beside the test")]
    pub(crate) async fn playing(script: impl FnMut(&Call) -> Answer + Send + 'static) -> Self {
        let script = Box::new(script);
        let played = Played { script, calls: Vec::new(), marked: Vec::new(), table_fails: false };
        let played = Arc::new(Mutex::new(played));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let playing = played.clone();
        let service = axum::Router::new().fallback(async move |headers: HeaderMap, body: Bytes| {
            play(&mut playing.lock().unwrap(), &headers, &body)
        });
        tokio::spawn(async move { axum::serve(listener, service).await });
        Self { topic: topic(&url), played }
    }

    pub(crate) fn mark(&self, order: OrderId) {
        self.played.lock().unwrap().marked.push(order.to_string());
    }

    /// From now on the table fails to write.
    pub(crate) fn break_table(&self) {
        self.played.lock().unwrap().table_fails = true;
    }

    /// From now on it writes again.
    pub(crate) fn mend_table(&self) {
        self.played.lock().unwrap().table_fails = false;
    }

    pub(crate) fn marked(&self) -> Vec<String> {
        let mut marked = self.played.lock().unwrap().marked.clone();
        marked.sort();
        marked
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.played.lock().unwrap().calls.clone()
    }

    pub(crate) fn actions(&self) -> Vec<String> {
        self.calls().into_iter().map(|call| call["Action"].clone()).collect()
    }
}

/// A topic of which everything is at that address.
pub(crate) fn topic(url: &str) -> Topic {
    let env = |name: &str| {
        let value = match name {
            "AWS_REGION" => "us-east-1",
            "AWS_ENDPOINT_URL" => url,
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => "played",
            _ => return None,
        };
        Some(value.to_owned())
    };
    let options = TableOptions { name: "orders".to_owned(), key: TableOptions::KEY.to_owned() };
    let Clients { dynamodb, sns } = connect::clients(&env).unwrap();
    let table = Table::new(dynamodb, options, Arc::new(SetClock::at(start())));
    Topic::new(sns, TOPIC.to_owned(), table, Arc::new(SetClock::at(start())), Reader::default())
}

fn play(played: &mut Played, headers: &HeaderMap, body: &[u8]) -> Response {
    if let Some(target) = headers.get("x-amz-target") {
        return table(played, target.to_str().unwrap(), &serde_json::from_slice(body).unwrap());
    }
    let call: Call = url::form_urlencoded::parse(body).into_owned().collect();
    let (status, document) = (played.script)(&call);
    played.calls.push(call);
    (StatusCode::from_u16(status).unwrap(), [("content-type", "text/xml")], document).into_response()
}

/// The two calls of the table that publishing makes.
fn table(played: &mut Played, target: &str, asked: &Value) -> Response {
    let (status, answer) = match target.rsplit('.').next() {
        Some("BatchGetItem") => {
            let keys = asked["RequestItems"]["orders"]["Keys"].as_array().unwrap();
            let orders = keys.iter().map(|key| key["orderId"]["S"].as_str().unwrap());
            let marked = orders.filter(|order| played.marked.iter().any(|marked| marked == order));
            let items = marked.map(|order| json!({"orderId": {"S": order}, "publishedAt": {"S": "then"}}));
            (
                StatusCode::OK,
                json!({"Responses": {"orders": items.collect::<Vec<_>>()}, "UnprocessedKeys": {}}),
            )
        }
        Some("UpdateItem") if played.table_fails => {
            let refusal = json!({
                "__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException",
                "message": format!("{ECHO} is not there"),
            });
            (StatusCode::BAD_REQUEST, refusal)
        }
        Some("UpdateItem") => {
            played.marked.push(asked["Key"]["orderId"]["S"].as_str().unwrap().to_owned());
            (StatusCode::OK, json!({}))
        }
        other => panic!("the table is asked for {other:?}"),
    };
    (status, [("content-type", "application/x-amz-json-1.0")], answer.to_string()).into_response()
}

/// SNS's answer to an action, with its result inside.
pub(crate) fn answer(action: &str, result: &str) -> Answer {
    let document = format!(
        "<{action}Response xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><{action}Result>{result}</{action}Result>\
         <ResponseMetadata><RequestId>request</RequestId></ResponseMetadata></{action}Response>"
    );
    (200, document)
}

/// SNS's error.
pub(crate) fn error(status: u16, code: &str, message: &str) -> Answer {
    let document = format!(
        "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>{message}</Message></Error><RequestId>request</RequestId></ErrorResponse>"
    );
    (status, document)
}

/// The messages of a batch by their ids.
pub(crate) fn entries(call: &Call) -> BTreeMap<String, String> {
    (1..=10)
        .map(|place| format!("PublishBatchRequestEntries.member.{place}"))
        .filter_map(|entry| Some((call.get(&format!("{entry}.Id"))?, call.get(&format!("{entry}.Message"))?)))
        .map(|(id, message)| (id.clone(), message.clone()))
        .collect()
}

/// An answer that accepts every message of the batch but those for which `failing` has what to say instead.
pub(crate) fn accept(call: &Call, failing: impl Fn(&str) -> Option<String>) -> Answer {
    let (mut accepted, mut failed) = (Vec::new(), Vec::new());
    for (id, message) in entries(call) {
        match failing(&message) {
            Some(instead) => failed.push(instead.replace("{id}", &id)),
            None => accepted.push(format!("<member><Id>{id}</Id><MessageId>m-{id}</MessageId></member>")),
        }
    }
    let (accepted, failed) = (accepted.concat(), failed.concat());
    answer("PublishBatch", &format!("<Successful>{accepted}</Successful><Failed>{failed}</Failed>"))
}

/// A page of SNS's list: ARN, protocol and endpoint of each, and the token of the next page.
pub(crate) fn page(rows: &[(&str, &str, &str)], next: Option<&str>) -> Answer {
    let rows: Vec<String> = rows
        .iter()
        .map(|(arn, protocol, endpoint)| {
            format!(
                "<member><SubscriptionArn>{arn}</SubscriptionArn><Owner>1</Owner><Protocol>{protocol}</Protocol>\
                 <Endpoint>{endpoint}</Endpoint><TopicArn>{TOPIC}</TopicArn></member>"
            )
        })
        .collect();
    let next = next.map(|token| format!("<NextToken>{token}</NextToken>")).unwrap_or_default();
    answer("ListSubscriptionsByTopic", &format!("<Subscriptions>{}</Subscriptions>{next}", rows.concat()))
}

/// The attributes of a subscription.
pub(crate) fn attributes(attributes: &[(&str, &str)]) -> Answer {
    let entries: Vec<String> = attributes
        .iter()
        .map(|(name, value)| format!("<entry><key>{name}</key><value>{value}</value></entry>"))
        .collect();
    answer("GetSubscriptionAttributes", &format!("<Attributes>{}</Attributes>", entries.concat()))
}
