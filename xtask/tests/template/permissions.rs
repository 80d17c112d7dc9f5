//! Each function may do what its ports do, where they do it, and nothing else.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::document::properties;
use crate::sdk_calls;

/// An action, and what it is done to.
type Permission = (String, String);

/// The permission that each call needs.
///
/// - <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html>
/// - <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html>
/// - A transaction needs the permissions of its actions:
///   <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html>
/// - `sns:Publish` grants batches as well:
///   <https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-language-api-permissions-reference.html>
const ACTIONS: [(&str, &str); 12] = [
    ("batch_get_item", "dynamodb:BatchGetItem"),
    ("get_item", "dynamodb:GetItem"),
    ("put_item", "dynamodb:PutItem"),
    ("query", "dynamodb:Query"),
    ("transact_write_items", "dynamodb:PutItem"),
    ("update_item", "dynamodb:UpdateItem"),
    ("get_subscription_attributes", "sns:GetSubscriptionAttributes"),
    ("list_subscriptions_by_topic", "sns:ListSubscriptionsByTopic"),
    ("publish_batch", "sns:Publish"),
    ("set_subscription_attributes", "sns:SetSubscriptionAttributes"),
    ("subscribe", "sns:Subscribe"),
    ("unsubscribe", "sns:Unsubscribe"),
];

/// What each method of a port calls, and what the call is done to. `any` is a subscription: IAM has no resource for it.
const PORTS: [(&str, &[(&str, &str)]); 15] = [
    (
        "OrderStore::accept",
        &[("put_item", "table"), ("transact_write_items", "table"), ("get_item", "table")],
    ),
    ("OrderStore::order", &[("get_item", "table")]),
    ("OrderStore::orders", &[("query", "index newest")]),
    ("OrderStore::ready", &[("get_item", "table")]),
    ("OrderLog::unpublished", &[("query", "index unpublished")]),
    (
        "Publisher::publish",
        &[("batch_get_item", "table"), ("publish_batch", "topic"), ("update_item", "table")],
    ),
    (
        "Subscriptions::subscribe",
        &[
            ("list_subscriptions_by_topic", "topic"),
            ("get_subscription_attributes", "any"),
            ("subscribe", "topic"),
        ],
    ),
    ("Subscriptions::subscription", LOOK_UP),
    ("Subscriptions::subscriptions", LOOK_UP),
    (
        "Subscriptions::change_attributes",
        &[
            ("list_subscriptions_by_topic", "topic"),
            ("get_subscription_attributes", "any"),
            ("set_subscription_attributes", "any"),
        ],
    ),
    (
        "Subscriptions::resend_confirmation",
        &[
            ("list_subscriptions_by_topic", "topic"),
            ("subscribe", "topic"),
            ("get_subscription_attributes", "any"),
        ],
    ),
    (
        "Subscriptions::unsubscribe",
        &[
            ("list_subscriptions_by_topic", "topic"),
            ("get_subscription_attributes", "any"),
            ("unsubscribe", "any"),
        ],
    ),
    ("Templates::templates", &[("batch_get_item", "table")]),
    ("Templates::set_template", &[("put_item", "table")]),
    ("Templates::reset_template", &[("put_item", "table")]),
];
const LOOK_UP: &[(&str, &str)] =
    &[("list_subscriptions_by_topic", "topic"), ("get_subscription_attributes", "any")];

/// A function, the methods of ports that it uses, and what Lambda itself does in its name.
struct Function {
    name: &'static str,
    uses: &'static [&'static str],
    on_its_behalf: &'static [(&'static str, &'static str)],
}

const FUNCTIONS: [Function; 3] = [
    Function {
        name: "Http",
        uses: &[
            "OrderStore::accept",
            "OrderStore::order",
            "OrderStore::orders",
            "OrderStore::ready",
            "Subscriptions::subscribe",
            "Subscriptions::subscription",
            "Subscriptions::subscriptions",
            "Subscriptions::change_attributes",
            "Subscriptions::resend_confirmation",
            "Subscriptions::unsubscribe",
            "Templates::templates",
            "Templates::set_template",
            "Templates::reset_template",
        ],
        on_its_behalf: &[],
    },
    Function {
        name: "Stream",
        uses: &["Publisher::publish", "Templates::templates"],
        // <https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html>
        on_its_behalf: &[
            ("dynamodb:DescribeStream", "stream"),
            ("dynamodb:GetRecords", "stream"),
            ("dynamodb:GetShardIterator", "stream"),
            ("dynamodb:ListStreams", "stream"),
            ("sqs:SendMessage", "dead letters"),
        ],
    },
    Function {
        name: "Sweep",
        uses: &["OrderLog::unpublished", "Publisher::publish", "Templates::templates"],
        on_its_behalf: &[("sqs:SendMessage", "dead letters")],
    },
];

#[test]
fn a_function_may_do_what_its_ports_do_and_nothing_else() {
    for function in &FUNCTIONS {
        let granted = granted(&role_of(function.name));
        let needed = needed(function);
        let missing: Vec<_> = needed.difference(&granted).collect();
        let idle: Vec<_> = granted.difference(&needed).collect();
        assert!(missing.is_empty(), "{} lacks {missing:?}", function.name);
        assert!(idle.is_empty(), "{} does not need {idle:?}", function.name);
    }
}

#[test]
fn every_call_that_the_adapters_make_is_accounted_for() {
    let known: BTreeSet<_> = ACTIONS.iter().map(|(call, _)| (*call).to_owned()).collect();
    assert_eq!(sdk_calls::made(), known, "left: what crates/aws calls, right: what this test knows");
    let used: BTreeSet<_> =
        PORTS.iter().flat_map(|(_, calls)| calls.iter()).map(|(call, _)| (*call).to_owned()).collect();
    assert_eq!(used, known, "left: what the ports are said to call");
}

#[test]
fn every_method_of_a_port_is_accounted_for() {
    let known: BTreeSet<_> = PORTS.iter().map(|(method, _)| (*method).to_owned()).collect();
    let there: BTreeSet<_> = ["OrderStore", "OrderLog", "Publisher", "Subscriptions", "Templates"]
        .into_iter()
        .flat_map(sdk_calls::methods_of)
        .collect();
    assert_eq!(there, known, "left: the ports' methods, right: what this test knows");
    let used: BTreeSet<_> =
        FUNCTIONS.iter().flat_map(|function| function.uses).map(|method| (*method).to_owned()).collect();
    assert_eq!(used, known, "left: what the functions are said to use");
}

#[test]
fn transactions_put_and_do_nothing_else_so_that_the_permission_to_put_is_enough() {
    assert_eq!(sdk_calls::transaction_actions(), BTreeSet::from(["Put".to_owned()]));
}

#[test]
fn the_schedule_may_start_the_sweep_and_nothing_else() {
    let needed = permissions(&[("lambda:InvokeFunction", "sweep"), ("sqs:SendMessage", "dead letters")]);
    assert_eq!(granted("SweepScheduleRole"), needed);
}

/// The role of a function, which is its alone.
fn role_of(function: &str) -> String {
    let role = properties(&format!("{function}Function"))["Role"].take();
    assert_eq!(role, json!({ "Fn::GetAtt": [format!("{function}Role"), "Arn"] }));
    format!("{function}Role")
}

fn needed(function: &Function) -> BTreeSet<Permission> {
    let calls = function.uses.iter().flat_map(|used| {
        let (_, calls) = PORTS.iter().find(|(method, _)| method == used).unwrap();
        calls.iter()
    });
    let ported = calls.map(|(call, on)| {
        let (_, action) = ACTIONS.iter().find(|(known, _)| known == call).unwrap();
        ((*action).to_owned(), (*on).to_owned())
    });
    let log = format!("log of {}", function.name);
    let logs = permissions(&[("logs:CreateLogStream", &log), ("logs:PutLogEvents", &log)]);
    ported.chain(permissions(function.on_its_behalf)).chain(logs).collect()
}

fn permissions(all: &[(&str, &str)]) -> BTreeSet<Permission> {
    all.iter().map(|(action, on)| ((*action).to_owned(), (*on).to_owned())).collect()
}

/// What a role grants, all of it inline.
fn granted(role: &str) -> BTreeSet<Permission> {
    let role = properties(role);
    assert!(role.get("ManagedPolicyArns").is_none(), "managed policies grant what nobody here decided");
    let policies = role["Policies"].as_array().unwrap().iter();
    let statements = policies.flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().unwrap());
    statements.flat_map(permissions_of).collect()
}

fn permissions_of(statement: &Value) -> Vec<Permission> {
    assert_eq!(statement["Effect"], "Allow");
    let on = resource(&statement["Resource"]);
    let actions = statement["Action"].as_array().unwrap().iter();
    actions.map(|action| (action.as_str().unwrap().to_owned(), on.clone())).collect()
}

/// The resource that an expression stands for.
fn resource(expression: &Value) -> String {
    let existing = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${ExistingTable}";
    let table =
        json!({ "Fn::If": ["MakesTable", { "Fn::GetAtt": ["Table", "Arn"] }, { "Fn::Sub": existing }] });
    let below = |path: &str| json!({ "Fn::Sub": [format!("${{Table}}/{path}"), { "Table": table }] });
    let attribute = |of: &str| json!({ "Fn::GetAtt": [of, "Arn"] });
    let topic = json!({ "Fn::If": ["MakesTopic", { "Ref": "Topic" }, { "Ref": "ExistingTopic" }] });
    let known = [
        ("table", table.clone()),
        ("index newest", below("index/newest")),
        ("index unpublished", below("index/unpublished")),
        ("stream", below("stream/*")),
        ("topic", topic),
        ("dead letters", attribute("DeadLetters")),
        ("sweep", attribute("SweepFunction")),
        ("log of Http", attribute("HttpLog")),
        ("log of Stream", attribute("StreamLog")),
        ("log of Sweep", attribute("SweepLog")),
        ("any", json!("*")),
    ];
    let name = known.iter().find(|(_, known)| known == expression).map(|(name, _)| *name);
    name.unwrap_or_else(|| panic!("what is {expression}?")).to_owned()
}
