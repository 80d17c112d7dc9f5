//! Questions to other people's libraries in Python.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

/// What a peer's program answers to `question`, `null` if nothing; or, if it fails, what it complains of.
pub(super) fn ask(script: &str, question: &Value) -> Result<Value, String> {
    let mut python = Command::new(e2e::peers::python());
    python.arg(e2e::peers::script(script));
    let mut process = python
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the Python that `cargo xtask test` installs");
    process.stdin.take().unwrap().write_all(question.to_string().as_bytes()).unwrap();
    let output = process.wait_with_output().unwrap();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(serde_json::from_slice(&output.stdout).unwrap_or_default())
}
