//! The table that the template makes is the one that the code uses, and is not lost by accident.

use serde_json::{Value, json};

use crate::document::{properties, template};
use crate::sources;

#[test]
fn an_index_is_named_after_its_hash_key_and_sorted_by_the_orders_id() {
    let table = properties("Table");
    let indexes = table["GlobalSecondaryIndexes"].as_array().unwrap();
    assert_eq!(
        indexes.iter().map(|index| &index["IndexName"]).collect::<Vec<_>>(),
        ["newest", "unpublished"]
    );
    for index in indexes {
        let hash = json!({ "AttributeName": index["IndexName"], "KeyType": "HASH" });
        let range = json!({ "AttributeName": { "Ref": "TableKey" }, "KeyType": "RANGE" });
        assert_eq!(index["KeySchema"], json!([hash, range]));
        assert_eq!(index["Projection"]["ProjectionType"], "ALL");
    }
}

#[test]
fn the_code_writes_the_attributes_that_the_indexes_and_the_expiry_go_by() {
    let code = sources("crates/aws/src").concat();
    let expiry = properties("Table")["TimeToLiveSpecification"].take();
    assert_eq!(expiry["Enabled"], true);
    for attribute in ["newest", "unpublished", expiry["AttributeName"].as_str().unwrap()] {
        assert!(
            code.contains(&format!("&str = \"{attribute}\"")),
            "no constant of crates/aws is {attribute}"
        );
    }
}

#[test]
fn the_stream_carries_what_the_function_reads() {
    assert_eq!(properties("Table")["StreamSpecification"]["StreamViewType"], "NEW_IMAGE");
}

#[test]
fn the_orders_outlive_the_stack_and_a_mistake() {
    let table = template()["Resources"]["Table"].take();
    assert_eq!(table["DeletionPolicy"], "Retain");
    assert_eq!(table["UpdateReplacePolicy"], "Retain");
    let properties: &Value = &table["Properties"];
    assert_eq!(properties["DeletionProtectionEnabled"], true);
    assert_eq!(properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true);
    assert_eq!(properties["SSESpecification"]["SSEEnabled"], true);
}
