//! Prism, which answers as an OpenAPI description says and refuses what the description does not allow.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::net::TcpStream;

/// A running Prism over Twilio's own description of its Messages API; it ends with the test.
pub(super) struct Prism {
    pub(super) port: u16,
    process: Child,
}

/// How long it may take until it answers.
const TIMEOUT: Duration = Duration::from_mins(1);

impl Prism {
    pub(super) async fn start() -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut node = Command::new("node");
        node.arg(program()).args(["mock", "--errors", "--host", "127.0.0.1", "--port", &port.to_string()]);
        node.arg(e2e::peers::script("twilio-messages-openapi.json"));
        node.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let prism = Self { port, process: node.spawn().expect("node") };
        tokio::time::timeout(TIMEOUT, prism.listens()).await.expect("Prism answers");
        prism
    }

    #[expect(clippy::disallowed_methods, reason = "a test waits for another process")]
    async fn listens(&self) {
        while TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Prism {
    fn drop(&mut self) {
        let _ended_already = self.process.kill();
        let _ended_already = self.process.wait();
    }
}

/// `ORDERBELL_PRISM`, or the one that `cargo xtask test` installs.
fn program() -> PathBuf {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/prism");
    let installed = || tools.join("node_modules/@stoplight/prism-cli/dist/index.js");
    env::var_os("ORDERBELL_PRISM").map_or_else(installed, PathBuf::from)
}
