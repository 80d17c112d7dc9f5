//! The template as data.

use std::fs;

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Value, json};

use crate::root;

/// The template, its short forms written out: `!Ref X` is `{"Ref": "X"}`.
pub(crate) fn template() -> Value {
    let text = fs::read_to_string(root().join("deploy/aws/template.yaml")).unwrap();
    let documents = Yaml::load_from_str(&text).unwrap();
    assert_eq!(documents.len(), 1);
    written_out(&documents[0])
}

/// The properties of a resource.
pub(crate) fn properties(resource: &str) -> Value {
    let properties = template()["Resources"][resource]["Properties"].take();
    assert!(properties.is_object(), "the template has no resource {resource}");
    properties
}

/// Resources of a type, by their names.
pub(crate) fn resources(of_type: &str) -> Vec<(String, Value)> {
    let template = template();
    let all = template["Resources"].as_object().unwrap();
    all.iter().filter(|(_, it)| it["Type"] == of_type).map(|(name, it)| (name.clone(), it.clone())).collect()
}

fn written_out(yaml: &Yaml<'_>) -> Value {
    match yaml {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(value)) => json!(value),
        Yaml::Value(Scalar::Integer(value)) => json!(value),
        Yaml::Value(Scalar::FloatingPoint(value)) => json!(value.into_inner()),
        Yaml::Value(Scalar::String(value)) => json!(value),
        Yaml::Sequence(items) => items.iter().map(written_out).collect(),
        Yaml::Mapping(entries) => {
            let entry = |(name, value): (&Yaml<'_>, &Yaml<'_>)| {
                (name.as_str().expect("keys are strings").to_owned(), written_out(value))
            };
            Value::Object(entries.iter().map(entry).collect())
        }
        Yaml::Tagged(tag, argument) => function(&tag.suffix, &written_out(argument)),
        other => panic!("CloudFormation knows no {other:?}"),
    }
}

fn function(name: &str, argument: &Value) -> Value {
    match (name, argument.as_str()) {
        ("Ref" | "Condition", _) => json!({ name: argument }),
        ("GetAtt", Some(path)) => {
            let (resource, attribute) = path.split_once('.').expect("!GetAtt names an attribute");
            json!({ "Fn::GetAtt": [resource, attribute] })
        }
        _ => json!({ format!("Fn::{name}"): argument }),
    }
}
