//! Twelve people's orders in every language and every form, as the peers got them: what a person reads.
//!
//! With `ORDERBELL_GALLERY` set to a folder each form lies there, to be looked at (`cargo xtask gallery`).

mod collected;
mod gallery;

use anyhow::{Context, Result};
use collected::{Collected, LANGUAGES, ORDERS, PARTS, Said};
use domain::sms_text::{Alphabet, parts};

/// The most of a mail's HTML that Gmail shows, in bytes.
const MAX_HTML: usize = 102_400;

#[tokio::test(flavor = "multi_thread")]
async fn twelve_peoples_orders_reach_staff_whole_in_every_language_and_form() -> Result<()> {
    let collected = Collected::of(&serde_json::from_str(ORDERS)?).await?;
    gallery::keep(&collected)?;
    assert_eq!(collected.said.len(), 12 * LANGUAGES.len());
    for said in &collected.said {
        let what = format!("{} in {}", said.order, said.language);
        is_a_mail(said).with_context(|| what.clone())?;
        is_a_text_message(said).with_context(|| what.clone())?;
        is_a_chat_message(said).with_context(|| what.clone())?;
        is_a_webhook(said).with_context(|| what.clone())?;
    }
    nobody_forges_a_line(&collected);
    Ok(())
}

fn is_a_mail(said: &Said) -> Result<()> {
    let Said { mail, id, language, .. } = said;
    anyhow::ensure!(mail.html.len() <= MAX_HTML, "{} bytes of HTML", mail.html.len());
    anyhow::ensure!(mail.html.contains(&format!("<html lang=\"{language}\"")), "its language is not named");
    anyhow::ensure!(mail.text.contains(id.as_str()), "its text names no order");
    let subject = mail.header("subject").context("a subject")?;
    anyhow::ensure!(subject.len() <= 4 * 130 && !subject.contains('\n'), "{subject:?}");
    anyhow::ensure!(
        !mail.html.contains("<script") && !mail.html.contains("src=\"http"),
        "it loads something"
    );
    anyhow::ensure!(!mail.html.contains("href=\"https://evil"), "a customer's words are a link");
    Ok(())
}

fn is_a_text_message(said: &Said) -> Result<()> {
    for (most, text) in PARTS.iter().zip(&said.texts) {
        let count = parts(text).count;
        anyhow::ensure!(count <= usize::from(*most), "{count} parts for {most}: {text}");
        // An order of Latin letters alone costs no UCS-2, in none of the languages.
        let is_plain =
            ["recipe", "bakery", "pizzeria", "careless", "everything"].contains(&said.order.as_str());
        // The recipe's own text, where that is all, has its 📦.
        if is_plain && said.order != "recipe" {
            anyhow::ensure!(parts(text).alphabet == Alphabet::Gsm7, "UCS-2: {text}");
        }
    }
    Ok(())
}

fn is_a_chat_message(said: &Said) -> Result<()> {
    let text = said.chat["text"].as_str().context("a text for those who show no blocks")?;
    anyhow::ensure!(!text.is_empty(), "nothing is said");
    anyhow::ensure!(
        said.chat["blocks"].as_array().is_some_and(|blocks| blocks.len() <= 50),
        "Slack takes 50 blocks"
    );
    Ok(())
}

fn is_a_webhook(said: &Said) -> Result<()> {
    anyhow::ensure!(said.webhook["data"]["orderId"] == said.id.as_str(), "another order");
    anyhow::ensure!(
        said.webhook["subject"] == "New Order Notification",
        "the recipe's subject is the contract"
    );
    Ok(())
}

/// Whoever writes a total under a note has it indented there, and in brackets of its own in HTML.
fn nobody_forges_a_line(collected: &Collected) {
    for said in collected.said.iter().filter(|said| said.order == "forged") {
        let lines: Vec<_> = said.mail.text.lines().collect();
        for forged in ["Total: 0.00 USD", "Paid: yes", "https://evil.example/refund"] {
            let at_the_edge = lines.iter().find(|line| line.trim_end() == forged);
            assert_eq!(at_the_edge, None, "{}", said.mail.text);
            assert!(said.mail.html.contains(&format!("<bdi>{forged}</bdi>")), "{forged}");
        }
        assert!(!said.mail.html.contains("<b>Deliver"), "markup of a customer's");
        assert!(said.mail.html.contains("[U+202E]"), "what turns direction is written out");
    }
}
