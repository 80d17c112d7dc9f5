//! The forms as files, and mails as pictures of a real browser.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::collected::{Collected, PARTS, Said};

/// Names the folder that the forms are kept in.
const FOLDER: &str = "ORDERBELL_GALLERY";
/// The widths of a phone and of a screen, in CSS pixels.
const WIDTHS: [u32; 2] = [360, 1_280];
/// How far down a picture goes, in CSS pixels.
const HEIGHT: u32 = 1_400;

/// Keeps every form in the folder, if somebody wants to look at them.
pub(crate) fn keep(collected: &Collected) -> Result<()> {
    let Some(folder) = env::var_os(FOLDER).map(PathBuf::from) else { return Ok(()) };
    fs::create_dir_all(&folder)?;
    for said in &collected.said {
        let name = folder.join(format!("{}.{}", said.order, said.language));
        let with = |ending: &str| PathBuf::from(format!("{}.{ending}", name.display()));
        fs::write(with("txt"), words(said))?;
        fs::write(with("chat.json"), serde_json::to_string_pretty(&said.chat)?)?;
        fs::write(with("webhook.json"), serde_json::to_string_pretty(&said.webhook)?)?;
        fs::write(with("html"), &said.mail.html)?;
        fs::write(with("plain.html"), without_css(&said.mail.html))?;
        for width in WIDTHS {
            picture(&with("html"), &with(&format!("{width}.png")), width, &[])?;
            let dark = ["--blink-settings=preferredColorScheme=0"];
            picture(&with("html"), &with(&format!("{width}.dark.png")), width, &dark)?;
            picture(&with("plain.html"), &with(&format!("{width}.plain.png")), width, &[])?;
        }
    }
    Ok(())
}

/// Each form that is words, one below the other.
fn words(said: &Said) -> String {
    let subject = said.mail.header("subject").unwrap_or_default();
    let reply_to = said.mail.header("reply-to").unwrap_or_default();
    let mut words = format!("== mail\nSubject: {subject}\nReply-To: {reply_to}\n\n{}\n", said.mail.text);
    for (most, text) in PARTS.iter().zip(&said.texts) {
        words.extend(["== text of at most ", &most.to_string(), " parts\n", text, "\n\n"]);
    }
    words + "== order show\n" + &said.shown
}

/// The page as a reader shows it that takes all style away.
fn without_css(html: &str) -> String {
    let html = without(html, "<style>", "</style>");
    without(&without(&html, " style=\"", "\""), " class=\"", "\"")
}

/// The text without each piece from a beginning to the next end.
fn without(text: &str, beginning: &str, end: &str) -> String {
    let mut pieces = text.split(beginning);
    let first = pieces.next().unwrap_or_default();
    let rest = pieces.map(|piece| piece.split_once(end).map_or("", |(_, rest)| rest));
    std::iter::once(first).chain(rest).collect()
}

fn picture(page: &Path, picture: &Path, width: u32, flags: &[&str]) -> Result<()> {
    let profile = TempDir::new()?;
    let mut browser = Command::new("chromium");
    browser
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"])
        .args(flags)
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("--window-size={width},{HEIGHT}"))
        .arg(format!("--screenshot={}", picture.display()))
        .arg(format!("file://{}", page.display()))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let status = browser.status().context("chromium")?;
    ensure!(status.success() && picture.exists(), "no picture of {}", page.display());
    Ok(())
}
