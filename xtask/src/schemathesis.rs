//! `cargo xtask schemathesis`: holds the running program against its `OpenAPI` document, with and without the key.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::cargo::{built, cargo};
use crate::install;
use crate::steps::succeed;

const DOCUMENT: &str = "crates/web/openapi.json";
/// What is looked at: no failure of ours, no undocumented status or content type, nothing accepted that the document refuses,
/// nothing refused that it accepts, nothing without a key that needs one. The last is of `hooks.py`: the tool's own check
/// takes 401 and 403 only, and whoever presents many wrong keys is told to wait.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
                      response_schema_conformance,negative_data_rejection,positive_data_acceptance,\
                      unsupported_method,keys_are_asked_for";
/// The variable in `schemathesis.toml` that names a subscription which is there.
const SUBSCRIPTION: &str = "SUBSCRIPTION";

/// The program, running on a data folder of its own until this is dropped.
struct Running {
    program: Child,
    url: String,
}

/// Makes about `cases` requests with the admin key, and as many without.
///
/// # Errors
/// The program and its document disagree; or it does not build or start.
pub(crate) fn run(root: &Path, cases: usize) -> Result<()> {
    let tool = install::install_schemathesis(root)?;
    succeed(&mut cargo(root, &["build", "--package", "orderbell-server", "--all-features", "--quiet"]))?;
    let document = fs::read_to_string(root.join(DOCUMENT))?;
    let operations = document.matches("\"operationId\"").count().max(1);
    let each = cases.div_ceil(operations).to_string();
    for with_key in [false, true] {
        let folder = root.join("target/schemathesis");
        let _ = fs::remove_dir_all(&folder);
        let running = Running::start(&folder)?;
        let mut command = Command::new(&tool);
        command.current_dir(root).env(SUBSCRIPTION, subscribe(&folder)?);
        command.arg("--config-file").arg(root.join("xtask/src/schemathesis/schemathesis.toml"));
        command.args(["run", DOCUMENT, "--url", &running.url, "--checks", CHECKS, "--max-examples", &each]);
        command.args(["--phases", "examples,coverage,fuzzing", "--continue-on-failure", "--seed", "1"]);
        if with_key {
            let key = fs::read_to_string(folder.join("admin.key")).context("the admin key")?;
            command.args(["--header", &format!("x-api-key: {}", key.trim())]);
        }
        let whose = if with_key { "with the admin key" } else { "without a key" };
        eprintln!(
            "-- {whose}, {each} cases for each of {operations} operations and what the document's limits add"
        );
        succeed(&mut command).with_context(|| format!("the program and {DOCUMENT} disagree, {whose}"))?;
    }
    Ok(())
}

/// Subscribes somebody, and answers the subscription's id.
fn subscribe(folder: &Path) -> Result<String> {
    let mut command = Command::new(built("debug")?.join("orderbell"));
    command
        .args(["subscription", "add", "webhook", "https://subscribed.example/", "--json", "--data"])
        .arg(folder);
    let output = command.stderr(Stdio::inherit()).output().context("subscribing somebody")?;
    let made: serde_json::Value = serde_json::from_slice(&output.stdout).context("the subscription")?;
    Ok(made["subscriptionId"].as_str().context("the subscription's id")?.to_owned())
}

impl Running {
    fn start(folder: &Path) -> Result<Self> {
        let mut program = Command::new(built("debug")?.join("orderbell"));
        program.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(folder);
        program
            .env("ORDERBELL_LOG", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut program = program.spawn().context("starting the program")?;
        let mut lines = BufReader::new(program.stderr.take().context("the program's words")?).lines();
        for line in lines.by_ref() {
            let line = line?;
            let Some(url) = line.strip_prefix("Orderbell listens on ") else { continue };
            let running = Self { program, url: url.to_owned() };
            // What it says from now on is read, and shown.
            std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| eprintln!("{line}")));
            return Ok(running);
        }
        let _ = program.wait();
        bail!("the program did not start");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}
