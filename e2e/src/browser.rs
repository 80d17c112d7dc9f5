//! A headless Chromium, steered through its own `WebDriver` server.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use fantoccini::ClientBuilder;
use hyper_util::client::legacy::connect::HttpConnector;
use rustix::process::Signal;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::process;

/// Quiet, on its own: no sandbox (tests run as root in containers), no phoning home.
const FLAGS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// A running browser with a fresh profile. It and all its processes end when this is dropped.
#[derive(Debug)]
pub struct Browser {
    driver: Driver,
    page: fantoccini::Client,
    _profile: TempDir,
}

#[derive(Debug)]
struct Driver(Child);

impl Browser {
    /// Starts a browser whose window is that large, in CSS pixels.
    ///
    /// # Errors
    /// `chromium` or `chromedriver` is missing or does not start; `cargo xtask test` installs them.
    pub async fn start(width: u32, height: u32) -> Result<Self> {
        Self::start_for((width, height), "en-US").await
    }

    /// As [`start`](Self::start), for somebody who reads that language.
    ///
    /// # Errors
    /// As there.
    pub async fn start_for((width, height): (u32, u32), language: &str) -> Result<Self> {
        let profile = tempfile::tempdir()?;
        let (driver, port) = Driver::start()?;
        let mut flags = FLAGS.map(str::to_owned).to_vec();
        flags.push(format!("--window-size={width},{height}"));
        flags.push(format!("--accept-lang={language}"));
        flags.push(format!("--user-data-dir={}", profile.path().display()));
        let mut capabilities = Map::<String, Value>::new();
        capabilities.insert("goog:chromeOptions".to_owned(), json!({"args": flags}));
        let page = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .context("starting the browser")?;
        Ok(Self { driver, page, _profile: profile })
    }

    /// The page that it shows.
    #[must_use]
    pub fn page(&self) -> &fantoccini::Client {
        &self.page
    }

    /// The process of its driver; those of the browser descend from it.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.driver.0.id()
    }
}

impl Driver {
    fn start() -> Result<(Self, u16)> {
        let child = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("starting chromedriver; `cargo xtask test` installs it")?;
        let mut driver = Self(child);
        let output = BufReader::new(driver.0.stdout.take().context("its output")?);
        let mut lines = output.lines().map_while(Result::ok);
        let port = lines.find_map(|line| port_in(&line)).context("chromedriver does not say its port")?;
        Ok((driver, port))
    }
}

/// Reads `ChromeDriver was started successfully on port 41234.`
fn port_in(line: &str) -> Option<u16> {
    line.rsplit_once("started successfully on port ")?.1.trim_end_matches('.').parse().ok()
}

impl Drop for Driver {
    fn drop(&mut self) {
        for process in process::descendants(self.0.id()) {
            process::signal(process, Signal::KILL);
        }
        let _ended_already = self.0.kill();
        let _ended_already = self.0.wait();
    }
}
