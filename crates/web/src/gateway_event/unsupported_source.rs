//! Events of services that send no requests: told by the members that only they have.
//!
//! Sources: AWS Lambda Developer Guide, the pages of the services that invoke functions; Amazon API Gateway Developer
//! Guide, "Input to a Lambda authorizer" and "WebSocket APIs".

use serde_json::{Map, Value};

/// A member that gives an event away, and what it is.
const SOURCE_MEMBERS: [(&str, &str); 21] = [
    ("Records", "it is a batch of records of a queue, a topic, a bucket or a stream"),
    ("records", "it is a batch of records of a delivery stream or a broker"),
    ("messages", "it is a batch of a broker's messages"),
    ("rmqMessagesByQueue", "it is a batch of a broker's messages"),
    ("detail-type", "it is an event of EventBridge"),
    ("eventSource", "it is a record of another service"),
    ("EventSource", "it is a record of another service"),
    ("awslogs", "it is a batch of log lines"),
    ("triggerSource", "it is a user pool's event"),
    ("methodArn", "it asks an authorizer"),
    ("routeArn", "it asks an authorizer"),
    ("authorizationToken", "it asks an authorizer"),
    ("ResponseURL", "it is a stack's custom resource"),
    ("CodePipeline.job", "it is a pipeline's job"),
    ("messageVersion", "it is an agent's or a chat bot's event"),
    ("getObjectContext", "it is a bucket's request for an object"),
    ("invocationSchemaVersion", "it is a bucket's batch job"),
    ("alarmArn", "it is an alarm"),
    ("SecretId", "it asks for a secret's rotation"),
    ("configRuleArn", "it asks for the evaluation of a rule"),
    ("requestPayload", "it is what came of an asynchronous invocation"),
];

/// What kind of event it is, where it is none of a request.
pub(super) fn unsupported_source(has: &impl Fn(&str) -> bool) -> Option<&'static str> {
    SOURCE_MEMBERS.iter().find(|(member, _)| has(member)).map(|(_, what)| *what)
}

/// As [`unsupported_source`], by the members of its `requestContext`.
pub(super) fn unsupported_context(context: &Map<String, Value>) -> Option<&'static str> {
    let web_socket = ["connectionId", "messageDirection", "connectedAt"];
    web_socket.iter().any(|member| context.contains_key(*member)).then_some("it is a web socket's event")
}
