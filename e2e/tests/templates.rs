//! An operator's own words, from the command line to a mailbox: whatever is written, the mail comes.

#[path = "../../crates/domain/tests/rules/hostile_templates/rows.rs"]
mod hostile;

use std::fs;

use anyhow::{Context, Result};
use hostile::Fate;
use orderbell_e2e::client::Client;
use orderbell_e2e::program::Program;
use orderbell_e2e::receiver::Receiver;
use orderbell_e2e::smtp_peer::{Mail, SmtpPeer, Tls};
use orderbell_e2e::wait;
use rusqlite::Connection;
use serde_json::json;

/// A program that sends mails, and who reads them.
struct World {
    relay: SmtpPeer,
    program: Program,
    client: Client,
    subscription: String,
}

impl World {
    async fn new() -> Result<Self> {
        let relay = SmtpPeer::start(Tls::Starttls)?;
        let program = Program::start(relay.settings()).await?;
        let client = program.client()?;
        let subscription = client.subscribe("email", "reader@example.com").await?;
        let subscription = subscription["subscriptionId"].as_str().context("an id")?.to_owned();
        let request = relay.wait_for_mails(1).await?.remove(0);
        let link = request.text.split_whitespace().find(|word| word.contains("token=")).unwrap_or_default();
        client.press(link).await?.expect(200)?;
        client.wait_for_subscription(&subscription, "confirmed").await?;
        Ok(Self { relay, program, client, subscription })
    }

    /// What a command prints.
    fn said(&self, args: &[&str]) -> Result<String> {
        let output = self.program.command(args)?;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said)?;
        anyhow::ensure!(output.status.success(), "{args:?}: {said}");
        Ok(said)
    }

    /// Sets a template by a file.
    fn set(&self, name: &str, part: &str, words: &str) -> Result<String> {
        let file = self.program.data().join(format!("{part}.template"));
        fs::write(&file, words)?;
        self.said(&["template", "set", name, &format!("--{part}"), &file.display().to_string()])
    }

    /// The mail about a new order, and the order's id.
    async fn mail_about(&self, customer: &str) -> Result<(String, Mail)> {
        let before = self.relay.mails()?.len();
        let id = self.client.place_order(customer, "Wireless Mouse").await?;
        let mail = self.relay.wait_for_mails(before + 1).await?.remove(before);
        let settled = async || {
            let timeline = self.client.order(&id).await?;
            Ok((timeline["deliveries"][0]["state"] == "delivered").then_some(()))
        };
        wait::until("the mail is delivered", settled).await?;
        Ok((id, mail))
    }
}

#[tokio::test]
async fn a_template_set_by_a_command_is_what_the_next_mail_says_until_it_is_taken_away() -> Result<()> {
    let mut world = World::new().await?;
    assert!(world.said(&["template", "list"])?.contains("no template is set"));
    assert!(world.said(&["template", "names"])?.contains("customerName     who placed it"));
    let html = "<h1>Bake</h1>\n{{#items}}\n<p>{{productName}}</p>\n{{/items}}\n<p>{{customerName}}</p>";
    assert!(world.set("email", "html", html)?.contains("email is set"));
    let preview = world.said(&["template", "preview", "email"])?;
    assert!(
        preview.contains("<p><bdi>Margherita</bdi></p>\n<p><bdi>Cola</bdi></p>\n<p><bdi>Jo Brown</bdi></p>"),
        "{preview}"
    );
    let (_, mail) = world.mail_about("John <b>Doe").await?;
    assert!(
        mail.html.replace("\r\n", "\n").contains("<h1>Bake</h1>\n<p><bdi>John &lt;b&gt;Doe</bdi></p>"),
        "{}",
        mail.html
    );
    assert!(mail.html.contains("unsubscribe?token="), "it still ends the subscription");
    assert!(mail.text.starts_with("📦 New Order Received!"), "{}", mail.text);

    world.set(&world.subscription, "subject", "For {{customerName}}\n")?;
    let (_, own) = world.mail_about("John Doe").await?;
    assert_eq!(own.header("Subject"), Some("For John Doe"));
    assert!(!own.html.contains("Bake"), "its own template comes before that of all mails");
    let listed = world.said(&["template", "list"])?;
    assert!(listed.contains(&world.subscription) && listed.contains("subject"), "{listed}");

    assert!(world.program.terminate().await?.success());
    world.program.restart().await?;
    let (_, own) = world.mail_about("Jane Doe").await?;
    assert_eq!(own.header("Subject"), Some("For Jane Doe"));
    for name in [&world.subscription, "email"] {
        world.said(&["template", "reset", name])?;
    }
    let (_, mail) = world.mail_about("Jane Doe").await?;
    assert_eq!(mail.header("Subject"), Some("New Order Notification: Wireless Mouse for Jane Doe"));
    assert!(!mail.html.contains("Bake"), "{}", mail.html);
    Ok(())
}

#[tokio::test]
async fn a_template_that_cannot_say_an_order_is_not_used_and_the_timeline_tells_so() -> Result<()> {
    let world = World::new().await?;
    world.set(
        "email",
        "text",
        &format!("{{{{productName}}}}{{{{#customerPhone}}}}{}{{{{/customerPhone}}}}", "{{note}}".repeat(20)),
    )?;
    let order = json!({"customerName": "Jo", "productName": "Mouse", "customerPhone": "+14155550132", "note": "x".repeat(2_000)});
    let id = world.client.post("/create-order", &order).await?.expect(200)?["orderId"]
        .as_str()
        .context("an id")?
        .to_owned();
    let mail = world.relay.wait_for_mails(2).await?.remove(1);
    assert!(
        mail.text.starts_with("📦 New Order Received!") && mail.text.contains(&"x".repeat(60)),
        "{}",
        mail.text
    );
    let told = async || {
        let timeline = world.client.order(&id).await?;
        let attempt = &timeline["deliveries"][0]["attempts"][0];
        Ok(attempt["reply"].as_str().filter(|_| attempt["outcome"] == "delivered").map(str::to_owned))
    };
    let reply = wait::until("the attempt is recorded", told).await?;
    let expected =
        "The built-in texts were sent, since of the template its text would have more than 16000 bytes; 250";
    assert!(reply.starts_with(expected), "{reply}");
    assert!(world.said(&["order", "show", &id])?.contains("of the template its text would have more than"));
    Ok(())
}

#[tokio::test]
async fn with_hostile_templates_stored_the_program_starts_and_everybody_is_told_once() -> Result<()> {
    let receiver = Receiver::start().await?;
    let mut program = Program::start(Receiver::settings()).await?;
    let client = program.client()?;
    let (texts, htmls) = hostile::rows();
    // As a text, HTML is words.
    let htmls = htmls.into_iter().map(|(template, _)| (template, Fate::Told));
    let templates: Vec<_> = texts.into_iter().chain(htmls).collect();
    assert!(templates.len() >= 60);
    for number in 0..=templates.len() {
        let made = client.subscribe("webhook", &receiver.url(&format!("/{number}"))).await?;
        client.wait_for_subscription(made["subscriptionId"].as_str().context("an id")?, "confirmed").await?;
    }
    assert!(program.terminate().await?.success());
    let shell = Connection::open(program.data().join("orderbell.db"))?;
    let sql = "INSERT INTO templates (subscription, text, set_at) VALUES (?1, ?2, 0)";
    for (subscription, (template, _)) in (1_i64..).zip(&templates) {
        shell.execute(sql, rusqlite::params![subscription, template])?;
    }
    drop(shell);
    program.restart().await?;
    let client = program.client()?;
    let items: Vec<_> = (0..1_300).map(|_| json!({"productName": "<&>", "quantity": 2})).collect();
    let note = "<&\n".repeat(1_000);
    let largest = json!({"customerName": "Ada", "productName": "All", "items": items, "note": note, "big": "x".repeat(9_000)});
    let small = json!({"customerName": "Ada", "productName": "Mouse"});
    for order in [&largest, &small] {
        client.post("/create-order", order).await?.expect(200)?;
    }
    let expected = 2 * (templates.len() + 1);
    let told = receiver.wait_for_notifications(expected).await?;
    assert_eq!(told.len(), expected, "each is told of each, once");
    for one in &told {
        let (fate, event) =
            (templates.get(one.path[1..].parse::<usize>()?).map(|(_, fate)| *fate), one.json());
        let is_largest = event["data"]["items"].is_array();
        let why_not = match fate {
            None => Some("it has none"),
            Some(Fate::Refused(why)) => Some(why),
            Some(Fate::Unused(why)) => Some(why).filter(|_| is_largest),
            Some(Fate::Told) => None,
        };
        let message = event["message"].as_str().context("a message")?;
        let is_built_in = message.starts_with("📦 New Order Received!");
        assert!(
            !message.trim().is_empty() && (is_built_in || why_not.is_none()),
            "{}: {why_not:?}",
            one.path
        );
    }
    Ok(())
}

#[tokio::test]
async fn damaged_templates_cost_nothing_but_themselves_at_a_start() -> Result<()> {
    let mut world = World::new().await?;
    world.set("email", "subject", "For {{customerName}}")?;
    world.set("sms", "text", "{{shortReference}}")?;
    world.set(&world.subscription, "text", "Own: {{productName}}")?;
    assert!(world.program.terminate().await?.success());
    let shell = Connection::open(world.program.data().join("orderbell.db"))?;
    shell.execute(
        "UPDATE templates SET text = CAST(x'fffe7b7b' AS TEXT) WHERE subscription IS NOT NULL",
        (),
    )?;
    shell.execute(
        "UPDATE templates SET protocol = 'fax', set_at = 9223372036854775807 WHERE protocol = 'sms'",
        (),
    )?;
    drop(shell);
    world.program.restart().await?;
    let listed = world.said(&["template", "list"])?;
    assert!(
        listed.contains(&format!(
            "{} is not used: text, line 1, column 3: a tag is not closed",
            world.subscription
        )),
        "{listed}"
    );
    let (_, mail) = world.mail_about("John Doe").await?;
    assert_eq!(mail.header("Subject"), Some("For John Doe"), "that of all mails stands");
    assert!(mail.text.starts_with("📦 New Order Received!"), "{}", mail.text);
    assert!(world.said(&["audit"]).is_ok());
    world.set(&world.subscription, "text", "Own: {{productName}}")?;
    let (_, mail) = world.mail_about("John Doe").await?;
    assert!(mail.text.starts_with("Own: Wireless Mouse"), "{}", mail.text);
    Ok(())
}
