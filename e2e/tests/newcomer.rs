//! What someone meets who uses the program for the first time, and gets something wrong.

use std::fs::{self, File, OpenOptions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output};

use anyhow::{Context, Result};
use orderbell_e2e::program::{Program, new_home, orderbell};
use orderbell_e2e::receiver::{Consent, Receiver};
use serde_json::Value;

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A command beside a running program, as `program.command` has it, but to be completed.
fn beside(program: &Program, args: &[&str]) -> Command {
    let mut command = orderbell(&program.data());
    command.env("ORDERBELL_DATA", program.data()).args(args);
    command
}

#[test]
fn a_mistake_in_the_settings_is_named_before_anything_starts() -> Result<()> {
    let relay = [
        ("ORDERBELL_SMTP_HOST", "relay"),
        ("ORDERBELL_SMTP_FROM", "shop@example.com"),
        ("ORDERBELL_SMTP_USERNAME", "me"),
        ("ORDERBELL_SMTP_PASSWORD", "secret\n"),
    ];
    let cases: [(&[(&str, &str)], &str); 9] = [
        (
            &[("ORDERBELL_LISTNE", "127.0.0.1:9")],
            "ORDERBELL_LISTNE: there is no such setting; did you mean ORDERBELL_LISTEN?",
        ),
        (&[("ORDERBELL_SMTP_HOSTT", "relay")], "did you mean ORDERBELL_SMTP_HOST?"),
        (&[("ORDERBELL_PORT", "9000")], "listen (ORDERBELL_LISTEN) says where to listen"),
        (&[("ORDERBELL_LOG", "loud")], "ORDERBELL_LOG: must be error, warn, info"),
        (&[("ORDERBELL_INTAKE", "key")], "intake_keys (ORDERBELL_INTAKE_KEYS): must hold a key"),
        (&relay, "ORDERBELL_SMTP_PASSWORD: must not end with a line break"),
        (&[("ORDERBELL_SMTP_USERNAME", "me")], "ORDERBELL_SMTP_USERNAME: has no effect without smtp.host"),
        (&[("ORDERBELL_PUBLIC_URL", "shop.example")], "ORDERBELL_PUBLIC_URL: must be an http or https URL"),
        (&[("ORDERBELL_ADMIN_KEY", "short")], "ORDERBELL_ADMIN_KEY: must be at least 20 characters"),
    ];
    // A program that went on would end here.
    let holder = TcpListener::bind("127.0.0.1:0")?;
    let taken = holder.local_addr()?.to_string();
    for (variables, words) in cases {
        let home = tempfile::tempdir()?;
        let mut serve = orderbell(home.path());
        let output = serve.args(["serve", "--listen", &taken]).envs(variables.iter().copied()).output()?;
        assert_eq!(output.status.code(), Some(2), "{variables:?}: {output:?}");
        assert!(said(&output).contains(words), "{variables:?}: {}", said(&output));
        assert_eq!(fs::read_dir(home.path())?.count(), 0, "{variables:?}: nothing is made");
    }
    Ok(())
}

#[test]
fn a_port_that_is_taken_is_named_with_what_chooses_another() -> Result<()> {
    let (home, holder) = (new_home()?, TcpListener::bind("127.0.0.1:0")?);
    let address = holder.local_addr()?.to_string();
    let output = orderbell(home.path()).args(["serve", "--listen", &address]).output()?;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    for words in [
        &address,
        "another program holds the port",
        "--listen, ORDERBELL_LISTEN or `listen` in orderbell.toml",
    ] {
        assert!(said(&output).contains(words), "{}", said(&output));
    }
    Ok(())
}

#[tokio::test]
async fn a_command_that_finds_no_key_says_where_it_looked_and_what_mends_it() -> Result<()> {
    let program = Program::start(Vec::new()).await?;
    let elsewhere = tempfile::tempdir()?;
    let list = |args: &[&str]| -> Result<String> {
        let mut command = orderbell(elsewhere.path());
        let output = command.args(["order", "list"]).args(args).output()?;
        assert!(!output.status.success(), "{args:?}");
        Ok(said(&output))
    };
    let nowhere = list(&[])?;
    let looked = elsewhere.path().join("orderbell-data/orderbell.sock").display().to_string();
    for words in [looked.as_str(), "no Orderbell answers", "--data (ORDERBELL_DATA)", "--url (ORDERBELL_URL)"]
    {
        assert!(nowhere.contains(words), "{nowhere}");
    }
    let none = list(&["--url", &program.url()])?;
    for words in [&program.url(), "wants the admin key", "--key-file FILE", "ORDERBELL_KEY"] {
        assert!(none.contains(words), "{none}");
    }
    let file = elsewhere.path().join("key");
    fs::write(&file, "obk_admin_of_another_server")?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
    let file = file.display().to_string();
    let wrong = list(&["--url", &program.url(), "--key-file", &file])?;
    assert!(wrong.contains(&format!("does not take the key from --key-file: {file}")), "{wrong}");
    assert!(!wrong.contains("obk_admin_of_another_server"), "{wrong}");
    for url in ["127.0.0.1:8080", "localhost:8080", "ftp://127.0.0.1", "http://", "http://a:b@127.0.0.1"] {
        assert!(
            list(&["--url", url])?.contains("--url (ORDERBELL_URL): must be an http or https URL"),
            "{url}"
        );
    }
    Ok(())
}

/// Another user's folder can be shown by root alone, who can be anybody.
#[tokio::test]
async fn a_data_folder_of_another_user_is_told_to_be_closed_and_whose_it_is() -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let program = Program::start(Vec::new()).await?;
    let (public, data) = (tempfile::tempdir()?, program.data().display().to_string());
    fs::set_permissions(public.path(), fs::Permissions::from_mode(0o755))?;
    // The program itself may lie where nobody else gets to.
    let copy = public.path().join("orderbell");
    fs::copy(orderbell(public.path()).get_program(), &copy)?;
    for args in [["order", "list"], ["delivery", "list"], ["inbox", "list"]] {
        let mut command = Command::new(&copy);
        command.env_clear().current_dir(public.path()).uid(65_534).gid(65_534);
        let output = command.args(args).args(["--data", &data]).output()?;
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        for words in ["--data: ", "is closed to you (user 65534)", "belongs to user 0", "sudo -u"] {
            assert!(said(&output).contains(words), "{}", said(&output));
        }
    }
    Ok(())
}

#[test]
fn what_is_no_backup_is_refused_once_and_with_what_to_name_instead() -> Result<()> {
    let home = new_home()?;
    fs::write(home.path().join("some.txt"), "an order of Ada's\n".repeat(100))?;
    fs::write(home.path().join("empty"), "")?;
    fs::write(home.path().join("orderbell.db.sql"), "CREATE TABLE orders (id);")?;
    for (file, why) in [
        (
            "some.txt",
            "some.txt cannot be restored: file is not a database: name a file that `orderbell backup` made",
        ),
        ("orderbell.db.sql", "name a file that `orderbell backup` made"),
        ("empty", "it is empty: name a file that `orderbell backup` made"),
        (".", "it is no file"),
        ("missing", "missing cannot be opened: No such file or directory (os error 2)"),
    ] {
        let refused = orderbell(home.path()).args(["restore", file, "--data", "new"]).output()?;
        assert_eq!(refused.status.code(), Some(1), "{file}: {refused:?}");
        let told = said(&refused);
        assert!(told.contains(why) && !told.contains(".recover"), "{file}: {told}");
        assert!(told.matches("os error").count() <= 1, "{told}");
    }
    Ok(())
}

#[tokio::test]
async fn a_webhook_on_this_machine_is_refused_with_the_setting_that_allows_it() -> Result<()> {
    let program = Program::start(Vec::new()).await?;
    for (protocol, url) in [
        ("webhook", "http://localhost:9000"),
        ("webhook", "http://127.0.0.1:9000/hook"),
        ("webhook", "http://10.0.0.7"),
        ("webhook", "http://[::1]:9000"),
        ("webhook", "https://shop.localhost./hook"),
        ("webhook", "http://2130706433:9000"),
        ("webhook", "http://169.254.169.254/latest/meta-data"),
        ("webhook", "http://[::ffff:192.168.1.5]"),
        ("chat", "https://localhost:8065/hooks/abc"),
        ("chat", "https://192.168.1.5/hooks/abc"),
    ] {
        let refused = program.command(&["subscription", "add", protocol, url])?;
        assert_eq!(refused.status.code(), Some(1), "{url}");
        assert!(
            said(&refused).contains("webhook.allowed_hosts (ORDERBELL_WEBHOOK_ALLOWED_HOSTS)"),
            "{url}: {refused:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_subscription_that_waits_to_be_confirmed_says_why_and_what_to_do() -> Result<()> {
    let program = Program::start(Vec::new()).await?;
    let added = program.command(&["subscription", "add", "email", "you@example.com"])?;
    let id = String::from_utf8(added.stdout)?.trim().to_owned();
    program.client()?.wait_for_message("you@example.com", "Confirm").await?;
    let told = async || {
        let shown = program.command(&["subscription", "show", &id])?;
        let timeline = String::from_utf8(shown.stdout)?;
        Ok(Some(timeline).filter(|timeline| {
            timeline.contains("sandbox inbox") && timeline.contains("orderbell inbox list")
        }))
    };
    orderbell_e2e::wait::until("it says why", told).await?;
    let json = program.command(&["subscription", "show", &id, "--json"])?;
    let json: Value = serde_json::from_slice(&json.stdout)?;
    assert_eq!(json["confirmationRequest"]["state"], "sandboxed", "{json}");
    Ok(())
}

#[tokio::test]
async fn a_webhook_that_does_not_repeat_the_challenge_is_shown_with_what_it_answered() -> Result<()> {
    let program = Program::start(Receiver::settings()).await?;
    for (consent, answered) in
        [(Consent::Silent, "but answered 200 OK"), (Consent::Wrong, "but answered 200 OK {")]
    {
        let receiver = Receiver::start().await?;
        receiver.consent(consent);
        let added = program.command(&["subscription", "add", "webhook", &receiver.url("/hook")])?;
        let id = String::from_utf8(added.stdout)?.trim().to_owned();
        let told = async || {
            let timeline = String::from_utf8(program.command(&["subscription", "show", &id])?.stdout)?;
            let resend = format!("orderbell subscription resend {id}");
            let words =
                ["challenge not answered", "did not repeat the challenge", answered, "Tried next", &resend];
            Ok(words.iter().all(|words| timeline.contains(words)).then_some(()))
        };
        orderbell_e2e::wait::until("it says why", told).await?;
    }
    let listed = String::from_utf8(program.command(&["subscription", "list"])?.stdout)?;
    assert_eq!(listed.matches("challenge not answered").count(), 2, "{listed}");
    Ok(())
}

#[tokio::test]
async fn an_order_is_shown_with_all_that_its_customer_said() -> Result<()> {
    let program = Program::start(Vec::new()).await?;
    let order = serde_json::json!({
        "customerName": "Ada", "items": [{"productName": "Pad", "quantity": 2}, {"productName": "Pen", "quantity": 1}],
        "customerEmail": "ada@example.com", "customerPhone": "+49 151 12345678", "currency": "EUR", "total": 12.5,
        "note": "ring twice", "attributes": {"channel": "fair"},
    });
    let placed = program.client()?.post("/create-order", &order).await?.expect(200)?;
    let shown = program.command(&["order", "show", placed["orderId"].as_str().context("its id")?])?;
    let shown = String::from_utf8(shown.stdout)?;
    for line in [
        "Customer  Ada",
        "Product   2 × Pad",
        "          1 × Pen",
        "Total     €12.5",
        "Email     ada@example.com",
        "Phone     +4915112345678",
        "Note      ring twice",
        "Also sent channel: fair",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line} in {shown}");
    }
    Ok(())
}

#[test]
fn an_option_before_the_command_is_refused_and_not_passed_over() -> Result<()> {
    let home = new_home()?;
    for (options, command) in [
        (["--data", "elsewhere"], ["order", "list"]),
        (["--data", "elsewhere"], ["delivery", "list"]),
        (["--config", "none.toml"], ["audit", "--json"]),
        (["--listen", "127.0.0.1:9"], ["backup", "copy"]),
        (["--intake", "open"], ["key", "new"]),
    ] {
        let refused = orderbell(home.path()).args(options).args(command).output()?;
        assert_eq!(refused.status.code(), Some(2), "{options:?} {command:?}: {}", said(&refused));
        assert!(said(&refused).contains(options[0]), "{}", said(&refused));
    }
    Ok(())
}

#[tokio::test]
async fn a_list_of_orders_says_what_each_costs_and_how_far_delivery_has_come() -> Result<()> {
    let program = Program::start(Vec::new()).await?;
    let place =
        ["order", "place", "--customer", "Ada", "--product", "Pad", "--total", "19.90", "--currency", "EUR"];
    program.command(&place)?;
    let listed = async || {
        let listed = String::from_utf8(program.command(&["order", "list"])?.stdout)?;
        Ok((listed.contains("€19.90") && listed.contains("nobody matched")).then_some(()))
    };
    orderbell_e2e::wait::until("it says that nobody is told", listed).await
}

#[tokio::test]
async fn what_a_store_holds_does_not_reach_the_terminal_as_a_command() -> Result<()> {
    let program = Program::start(Vec::new()).await?;
    program.command(&["subscription", "add", "email", "you@example.com"])?;
    let client = program.client()?;
    let asked = client.wait_for_message("you@example.com", "Confirm").await?;
    client.press(asked["link"].as_str().context("its link")?).await?.expect(200)?;
    let note = "\u{1b}]0;taken\u{7}\u{9b}31m\u{7f}\u{202e}evil\u{2066}";
    let body = serde_json::json!({"customerName": "\u{202e}Ada", "productName": "Pad\u{2067}", "note": note,
                                  "attributes": {"channel": "\u{202d}fair\u{200f}"}, "gift": note});
    let order = client.post("/create-order", &body).await?.expect(200)?["orderId"].to_string();
    let order = order.trim_matches('"');
    let told = client.wait_for_message("you@example.com", "New Order").await?["id"].to_string();
    for args in [
        &["order", "list"][..],
        &["order", "list", "--json"],
        &["order", "show", order],
        &["order", "show", order, "--json"],
        &["inbox", "list", "--json"],
        &["inbox", "show", told.trim_matches('"')],
    ] {
        let printed = String::from_utf8(program.command(args)?.stdout)?;
        let harmful = |c: char| {
            (c.is_control() && !"\n\t".contains(c)) || "\u{200f}\u{202d}\u{202e}\u{2066}\u{2067}".contains(c)
        };
        assert!(!printed.contains(harmful), "{args:?}: {printed:?}");
        assert!(printed.contains("Ada"), "{args:?} tells of it: {printed}");
    }
    Ok(())
}

/// Every command without subcommands of its own, as the help tells them.
fn leaves(path: &[String]) -> Result<Vec<Vec<String>>> {
    let home = tempfile::tempdir()?;
    let help = String::from_utf8(orderbell(home.path()).args(path).arg("--help").output()?.stdout)?;
    let listed =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // A continued description is indented further.
    let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names: Vec<_> =
        names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").collect();
    if names.is_empty() {
        return Ok(vec![path.to_vec()]);
    }
    let deeper = names.into_iter().map(|name| leaves(&[path, &[name.to_owned()]].concat()));
    Ok(deeper.collect::<Result<Vec<_>>>()?.concat())
}

/// What each command is given to print something; `None`: it prints nothing on standard output, or serves.
fn arguments<'a>(command: &str, subscription: &'a str, event: &'a str) -> Option<Vec<&'a str>> {
    Some(match command {
        "serve" | "backup" | "restore" => return None,
        "order place" => vec!["--customer", "Ada", "--product", "Pad"],
        "order list" | "subscription list" | "delivery list" | "inbox list" | "template list" | "audit" => {
            vec!["--json"]
        }
        "order show" => vec!["ORDER"],
        "order spam" => vec!["--customer", "Nobody", "--json"],
        "order not-spam" | "order acknowledge" | "order complete" | "order cancel" | "order reopen" => {
            vec!["ORDER", "--json"]
        }
        "delivery show" => vec!["DELIVERY"],
        "inbox show" => vec!["MESSAGE"],
        "subscription add" => vec!["email", "other@example.com"],
        "subscription change" => vec![subscription, "--max-receives-per-second", "5", "--json"],
        "subscription confirm" => vec!["LINK", "--json"],
        "subscription show" | "subscription test" => vec![subscription],
        "subscription suspend" | "subscription resume" | "subscription remove" => {
            vec![subscription, "--json"]
        }
        "subscription resend" => vec!["WEBHOOK", "--json"],
        "subscription rotate-secret" => vec!["WEBHOOK"],
        "subscription test-filter" => vec![
            "--filter-policy",
            r#"{"currency":["EUR"]}"#,
            "--order",
            r#"{"customerName":"A","productName":"B","currency":"EUR"}"#,
            "--json",
        ],
        "template set" => vec!["email", "--text", event, "--json"],
        "template preview" => vec!["email"],
        "template show" | "template reset" => vec!["email", "--json"],
        "delivery redrive" => vec!["--dead", "--json"],
        "delivery retry" => vec!["--pending", "--json"],
        "delivery drop" => vec!["--held", "--json"],
        "invoke" => vec![event],
        "template names" | "doctor smtp" | "man" => vec![],
        "key new" => vec!["shop"],
        "completions" => vec!["bash"],
        other => panic!("`{other}` is not tried: say here what it is given"),
    })
}

/// In this order each finds what it needs: a subscription is confirmed before it is tested, and removed last; a
/// template is set before it is shown; what is done is made new again before it is not to be done.
const FIRST_AND_LAST: [&str; 10] = [
    "subscription show",
    "subscription confirm",
    "subscription suspend",
    "subscription resume",
    "subscription test",
    "subscription remove",
    "template show",
    "template reset",
    "order reopen",
    "order cancel",
];

#[tokio::test]
async fn a_command_whose_answer_cannot_be_written_fails_and_says_so() -> Result<()> {
    let program = Program::start(Vec::new()).await?;
    let id = |args: &[&str]| -> Result<String> {
        Ok(String::from_utf8(program.command(args)?.stdout)?.trim().to_owned())
    };
    let subscription = id(&["subscription", "add", "email", "you@example.com"])?;
    let webhook = id(&["subscription", "add", "webhook", "https://example.com/hook"])?;
    let order = id(&["order", "place", "--customer", "Ada", "--product", "Pad"])?;
    let client = program.client()?;
    let message =
        client.wait_for_message("you@example.com", "Confirm").await?["id"].as_str().unwrap().to_owned();
    let delivery =
        client.list("/deliveries").await?[0]["deliveryId"].as_str().context("a delivery")?.to_owned();
    let event = program.data().join("event.json");
    fs::write(&event, r#"{"body": {"customerName": "Jo", "productName": "Pad"}}"#)?;
    let event = event.display().to_string();

    let mut leaves: Vec<String> = leaves(&[])?.into_iter().map(|path| path.join(" ")).collect();
    leaves.sort_by_key(|leaf| FIRST_AND_LAST.iter().position(|other| other == leaf));
    assert!(leaves.len() > 25, "{leaves:?}");
    for leaf in leaves {
        let Some(given) = arguments(&leaf, &subscription, &event) else { continue };
        let mut link = String::new();
        if leaf == "subscription confirm" {
            let newest = client.wait_for_message("you@example.com", "Confirm").await?;
            newest["link"].as_str().unwrap_or_default().clone_into(&mut link);
        }
        let named = |given: &str| match given {
            "ORDER" => order.clone(),
            "DELIVERY" => delivery.clone(),
            "MESSAGE" => message.clone(),
            "WEBHOOK" => webhook.clone(),
            "LINK" => link.clone(),
            other => other.to_owned(),
        };
        let mut command = beside(&program, &leaf.split(' ').collect::<Vec<_>>());
        command.args(given.into_iter().map(named)).stdout(OpenOptions::new().write(true).open("/dev/full")?);
        if leaf == "doctor smtp" {
            command.env("ORDERBELL_SMTP_HOST", "127.0.0.1").env("ORDERBELL_SMTP_PORT", "1");
            command.env("ORDERBELL_SMTP_FROM", "shop@example.com");
        }
        let output = command.output()?;
        assert_eq!(output.status.code(), Some(1), "{leaf}: {output:?}");
        assert!(said(&output).contains("standard output cannot be written"), "{leaf}: {output:?}");
    }
    for asked in ["--help", "--version"] {
        let full: File = OpenOptions::new().write(true).open("/dev/full")?;
        assert_eq!(beside(&program, &[asked]).stdout(full).status()?.code(), Some(1), "{asked}");
    }
    Ok(())
}

#[test]
fn shells_complete_commands_and_each_command_has_a_page() -> Result<()> {
    let home = tempfile::tempdir()?;
    let printed = |args: &[&str]| -> Result<String> {
        let output = orderbell(home.path()).args(args).output()?;
        assert!(output.status.success(), "{args:?}: {output:?}");
        Ok(String::from_utf8(output.stdout)?)
    };
    for shell in ["bash", "zsh", "fish"] {
        let script = printed(&["completions", shell])?;
        assert!(script.contains("rotate-secret") && script.contains("filter-policy"), "{shell}: {script}");
    }
    fs::write(home.path().join("completions"), printed(&["completions", "bash"])?)?;
    let tried = "source ./completions; COMP_WORDS=(orderbell subscription su); COMP_CWORD=2; \
                 _orderbell orderbell su subscription; echo \"${COMPREPLY[@]}\"";
    let completed = |tried: &str| -> Result<String> {
        let completed = Command::new("bash").current_dir(home.path()).args(["-c", tried]).output()?;
        Ok(String::from_utf8(completed.stdout)?.trim().to_owned())
    };
    assert_eq!(completed(tried)?, "suspend");
    let values = "source ./completions; COMP_WORDS=(orderbell delivery list --state ''); COMP_CWORD=4; \
                  _orderbell orderbell '' --state; echo \"${COMPREPLY[@]}\"";
    assert_eq!(completed(values)?, "pending in_flight delivered sandboxed held dead cancelled");

    assert!(printed(&["man"])?.starts_with(".ie"), "roff");
    for leaf in leaves(&[])? {
        let path: Vec<_> = leaf.iter().map(String::as_str).collect();
        let page = printed(&[&["man"][..], &path].concat())?;
        assert!(page.contains(".TH") && page.contains(path.last().unwrap()), "{leaf:?}");
    }
    let unknown = orderbell(home.path()).args(["man", "ordre"]).output()?;
    assert_eq!(unknown.status.code(), Some(2));
    assert!(said(&unknown).contains("there is no command \"ordre\""), "{unknown:?}");
    Ok(())
}

#[tokio::test]
async fn a_reader_that_has_seen_enough_ends_a_command_without_a_word() -> Result<()> {
    let program = Program::start(Vec::new()).await?;
    program.command(&["order", "place", "--customer", "Ada", "--product", "Pad"])?;
    for args in [&["order", "list"][..], &["audit", "--json"], &["key", "new", "shop", "--help"]] {
        let (reader, writer) = std::io::pipe()?;
        drop(reader);
        let output = beside(&program, args).stdout(writer).output()?;
        assert_eq!(output.status.code(), Some(128 + 13), "{args:?}: {output:?}");
        assert_eq!(said(&output), "", "{args:?}");
    }
    Ok(())
}
