//! The domain's table of filter policies, asked of moto: it agrees, but for what the table lists with AWS's word on it.

use std::collections::BTreeMap;
use std::env;
use std::process::Command;

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Table {
    cases: Vec<Case>,
}

/// What the domain makes of a case, and moto where it disagrees.
#[derive(Deserialize)]
struct Case {
    name: String,
    matches: Option<bool>,
    moto: Option<Value>,
}

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../domain/tests/rules/filter_policy_cases.json");
const ASK_MOTO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/topic_emulated/moto_verdicts.py");

fn moto_verdicts() -> BTreeMap<String, Value> {
    let python = env::var("ORDERBELL_TEST_PYTHON").expect("cargo xtask emulators sets it");
    let output = Command::new(python).args([ASK_MOTO, TABLE]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn moto_agrees_with_every_case_but_those_that_the_table_lists() {
    let table: Table = serde_json::from_slice(&std::fs::read(TABLE).unwrap()).unwrap();
    let verdicts = moto_verdicts();
    assert_eq!(verdicts.len(), table.cases.len());
    let wrong: Vec<_> = table.cases.iter().filter_map(|case| wrong(case, &verdicts[&case.name])).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is wrong with the table, where moto says `verdict`.
fn wrong(case: &Case, verdict: &Value) -> Option<String> {
    let ours = case.matches.map_or_else(|| Value::from("refused"), Value::from);
    let Case { name, moto, .. } = case;
    match moto {
        Some(listed) if *listed == ours => Some(format!("{name}: is listed as a disagreement, and is none")),
        Some(listed) if listed != verdict => Some(format!("{name}: moto says {verdict}, listed is {listed}")),
        None if ours != *verdict => Some(format!("{name}: moto says {verdict}, we say {ours}")),
        _ => None,
    }
}
