//! The client commands, against a running program.

use anyhow::{Context, Result};
use orderbell_e2e::program::Program;
use serde_json::{Value, json};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

#[tokio::test]
async fn an_operator_goes_the_whole_way_on_the_command_line() -> Result<()> {
    let program = Program::start(Vec::new()).await?;
    let run = |args: &[&str]| -> Result<String> {
        let output = program.command(args)?;
        assert!(output.status.success(), "{args:?}: {output:?}");
        Ok(text(&output.stdout))
    };
    let client = program.client()?;
    let subscription = run(&["subscription", "add", "email", "you@example.com"])?;
    let message = client.wait_for_message("you@example.com", "Confirm").await?;
    let shown = run(&["inbox", "show", message["id"].as_str().unwrap()])?;
    let link = shown.lines().last().unwrap_or_default().to_owned();
    run(&["subscription", "confirm", &link])?;
    assert!(run(&["subscription", "list", "--state", "confirmed"])?.contains(&subscription));

    let order = run(&["order", "place", "--customer", "John Doe", "--product", "Wireless Mouse"])?;
    client.wait_for_message("you@example.com", "New Order").await?;
    assert!(run(&["order", "list"])?.contains(&order));
    let told =
        async || Ok(Some(run(&["order", "show", &order])?).filter(|timeline| timeline.contains("sandboxed")));
    let timeline = orderbell_e2e::wait::until("the timeline is shown", told).await?;
    assert!(timeline.contains("accepted") && timeline.contains("you@example.com"), "{timeline}");

    let deliveries: Value = serde_json::from_str(&run(&["delivery", "list", "--json"])?)?;
    assert_eq!(deliveries["items"].as_array().map(Vec::len), Some(2));
    run(&["subscription", "suspend", &subscription])?;
    let waiting = run(&["order", "place", "--customer", "John Doe", "--product", "Wireless Mouse"])?;
    let told =
        async || Ok(Some(run(&["order", "show", &waiting])?).filter(|timeline| timeline.contains("waits:")));
    let timeline = orderbell_e2e::wait::until("the order waits", told).await?;
    assert!(timeline.contains("you@example.com waits: subscription suspended"), "{timeline}");
    run(&["subscription", "remove", &subscription])?;
    let timeline = run(&["order", "show", &waiting])?;
    assert!(timeline.contains("subscription ended") && !timeline.contains("waits:"), "{timeline}");
    assert!(run(&["subscription", "list", "--state", "ended"])?.contains(&subscription));
    Ok(())
}

#[tokio::test]
async fn an_order_goes_by_its_short_reference_the_beginning_of_its_id_and_the_shops_number() -> Result<()> {
    let program = Program::start(Vec::new()).await?;
    let client = program.client()?;
    let place = async |reference: &str| -> Result<String> {
        let order = json!({"customerName": "Ada", "productName": "Pad", "reference": reference});
        let placed = client.post("/create-order", &order).await?.expect(200)?;
        Ok(placed["orderId"].as_str().context("its id")?.to_owned())
    };
    let (first, second, third) = (place("B 7").await?, place("B 8").await?, place("b 8").await?);
    let listed = text(&program.command(&["order", "list", "--find", &first])?.stdout);
    let short = listed.lines().nth(1).and_then(|line| line.split('\t').nth(1)).context("a line")?.to_owned();
    let spoken = short.to_lowercase().replace('-', " ");
    // All three may be of one minute.
    for name in [&first, &short, &spoken, &first[..30], "b 7"] {
        let shown = text(&program.command(&["order", "show", name])?.stdout);
        assert!(shown.starts_with(&format!("Order     {short}\nId        {first}\n")), "{name}: {shown}");
    }
    for (command, said) in [("spam", "is marked as spam"), ("not-spam", "is no longer marked as spam")] {
        let done = text(&program.command(&["order", command, &short])?.stdout);
        assert!(done.starts_with(&format!("{short} ({first}) {said}")), "{done}");
        let refused = program.command(&["order", command, "B 8"])?;
        assert_eq!(refused.status.code(), Some(1), "{refused:?}");
        let (listed, said) = (text(&refused.stdout), text(&refused.stderr));
        assert!(listed.contains(&second) && listed.contains(&third) && !listed.contains(&first), "{listed}");
        assert!(said.contains("say which by its id"), "{said}");
    }
    let spam = text(&program.command(&["order", "list", "--json"])?.stdout);
    assert!(!spam.contains("spamSince"), "nothing was done to those that have one name: {spam}");
    let refused = program.command(&["order", "show", "B 9"])?;
    assert_eq!(
        (refused.status.code(), text(&refused.stderr)),
        (Some(1), "orderbell: there is no order B 9".to_owned())
    );
    Ok(())
}

#[tokio::test]
async fn times_are_told_by_the_clock_of_whoever_reads_and_to_the_second() -> Result<()> {
    let program = Program::start(Vec::new()).await?;
    program.command(&["subscription", "add", "email", "you@example.com"])?;
    let order = text(&program.command(&["order", "place", "--customer", "Jo", "--product", "Mouse"])?.stdout);
    let client = program.client()?;
    let subscription = text(&program.command(&["subscription", "list", "--json"])?.stdout);
    let subscription: Value = serde_json::from_str(&subscription)?;
    let subscription = subscription["items"][0]["subscriptionId"].as_str().unwrap_or_default().to_owned();
    client.wait_for_message("you@example.com", "Confirm").await?;
    let delivery = client.list("/deliveries").await?[0]["deliveryId"].as_str().unwrap_or_default().to_owned();
    let commands: [&[&str]; 7] = [
        &["order", "list"],
        &["order", "show", &order],
        &["subscription", "show", &subscription],
        &["delivery", "list"],
        &["delivery", "show", &delivery],
        &["inbox", "list"],
        &["order", "list", "--limit", "1"],
    ];
    let is_time = |word: &&str| word.len() == 8 && word.matches(':').count() == 2;
    for command in commands {
        let told = |zone: &str| -> Result<Vec<(String, String)>> {
            let output = program.command_with(command, &vec![("TZ", zone.to_owned())])?;
            let told = text(&output.stdout);
            assert!(
                !told.contains("Z ") && !told.contains("T1") && !told.contains("T0"),
                "{command:?}: {told}"
            );
            let words: Vec<_> = told.split_whitespace().collect();
            let times = words.windows(2).filter(|pair| is_time(&pair[1]));
            Ok(times.map(|pair| (pair[0].to_owned(), pair[1].to_owned())).collect())
        };
        // Two zones, a day apart: the same seconds on another date.
        let (west, east) = (told("<-12>12")?, told("<+12>-12")?);
        assert!(!west.is_empty() && west.len() == east.len(), "{command:?}: {west:?} {east:?}");
        for ((day, time), (other_day, other_time)) in west.iter().zip(&east) {
            assert!(day < other_day && time == other_time, "{command:?}: {west:?} {east:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_repeated_key_places_one_order() -> Result<()> {
    let program = Program::start(Vec::new()).await?;
    let place =
        ["order", "place", "--customer", "Jo", "--product", "Mouse", "--idempotency-key", "0123456789abcdef"];
    let (first, second) = (program.command(&place)?, program.command(&place)?);
    assert_eq!(text(&first.stdout), text(&second.stdout));
    assert_eq!(program.client()?.list("/orders").await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn failures_are_said_in_a_persons_words_with_their_own_exit_code() -> Result<()> {
    let program = Program::start(Vec::new()).await?;
    let refused = program.command(&["subscription", "add", "email", "not an address"])?;
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("ENDPOINT must be a mail address"), "{refused:?}");
    let unknown = program.command(&["order", "show", "00000000-0000-7000-8000-000000000000"])?;
    assert!(text(&unknown.stderr).contains("no such order"), "{unknown:?}");
    let nobody = program.command(&["order", "list", "--url", "http://127.0.0.1:1"])?;
    assert!(text(&nobody.stderr).contains("no Orderbell answers"), "{nobody:?}");
    assert_eq!(program.command(&["order", "nonsense"])?.status.code(), Some(2));
    Ok(())
}

#[tokio::test]
async fn a_filter_policy_is_tried_before_it_is_set_and_the_exit_code_says_whether_it_wants_the_order()
-> Result<()> {
    let program = Program::start(Vec::new()).await?;
    let folder = tempfile::tempdir()?;
    let (policy, order) = (folder.path().join("policy.json"), folder.path().join("order.json"));
    std::fs::write(&policy, r#"{"currency": ["EUR"], "total": [{"numeric": [">", 100]}]}"#)?;
    std::fs::write(
        &order,
        r#"{"customerName": "Jo", "productName": "Mouse", "currency": "EUR", "total": 150}"#,
    )?;
    let (policy, order) = (policy.display().to_string(), order.display().to_string());
    let test = |policy: &str, order: &str| {
        program.command(&["subscription", "test-filter", "--filter-policy", policy, "--order", order])
    };
    assert_eq!(test(&policy, &order)?.status.code(), Some(0));
    let cheap = r#"{"customerName":"Jo","productName":"Mouse","currency":"EUR","total":99.5}"#;
    let unwanted = test(&policy, cheap)?;
    assert_eq!(unwanted.status.code(), Some(1));
    assert!(text(&unwanted.stderr).contains("total: wanted a number > 100; found 99.5"), "{unwanted:?}");
    let wrong = test(r#"{"total":[{"numeric":[">"]}]}"#, &order)?;
    assert_eq!(wrong.status.code(), Some(1));
    assert!(text(&wrong.stderr).contains("--filter-policy: total.numeric must be"), "{wrong:?}");
    assert_eq!(test("no-such-file.json", &order)?.status.code(), Some(2));
    assert!(program.client()?.list("/orders").await?.is_empty(), "nothing is stored");

    let placed = program.command(&["order", "place", "--customer", "Jo", "--product", "Mouse"])?;
    let (id, scope) = (text(&placed.stdout), "MessageBody");
    let body = r#"{"data":{"productName":[{"equals-ignore-case":"MOUSE"}]}}"#;
    let of_the_body = [
        "subscription",
        "test-filter",
        "--filter-policy",
        body,
        "--filter-policy-scope",
        scope,
        "--order-id",
        &id,
        "--json",
    ];
    let answer = program.command(&of_the_body)?;
    assert_eq!((answer.status.code(), text(&answer.stdout).contains("\"matches\": true")), (Some(0), true));
    let add = ["subscription", "add", "email", "you@example.com", "--filter-policy", body];
    assert_eq!(program.command(&add)?.status.code(), Some(1), "without its scope it nests where it must not");
    let added = program.command(&[&add[..], &["--filter-policy-scope", scope]].concat())?;
    assert!(added.status.success(), "{added:?}");
    Ok(())
}

#[tokio::test]
async fn a_signing_secret_goes_to_the_program_that_asks_for_it() -> Result<()> {
    let program = Program::start(Vec::new()).await?;
    let add = |path: &str, more: &[&str]| {
        let endpoint = format!("https://example.com/{path}");
        program.command(&[&["subscription", "add", "webhook", &endpoint], more].concat())
    };
    let told = add("one", &[])?;
    let id = text(&told.stdout);
    assert!(!id.contains(char::is_whitespace) && text(&told.stderr).contains("whsec_"), "{told:?}");
    let json: Value = serde_json::from_slice(&add("other", &["--json"])?.stdout)?;
    assert!(json["secret"].as_str().is_some_and(|secret| secret.starts_with("whsec_")), "{json}");

    let rotated = program.command(&["subscription", "rotate-secret", &id])?;
    let secret = text(&rotated.stdout);
    assert!(secret.starts_with("whsec_") && !secret.contains(char::is_whitespace), "{rotated:?}");
    assert!(!text(&rotated.stderr).contains(&secret), "{rotated:?}");
    Ok(())
}

#[tokio::test]
async fn what_is_redriven_is_all_or_what_the_flags_leave() -> Result<()> {
    let program = Program::start(Vec::new()).await?;
    let redrive = |more: &[&str]| program.command(&[&["delivery", "redrive"], more].concat());
    let filters = ["--protocol", "sms", "--from", "2026-01-31T12:00:00Z"];
    for flags in [&["--dead"][..], &["--held"], &[&["--held"], &filters[..]].concat()] {
        let redriven = redrive(flags)?;
        assert!(redriven.status.success(), "{flags:?}: {redriven:?}");
    }
    let refused = redrive(&["--held", "--subscription", ""])?;
    assert_eq!(refused.status.code(), Some(2), "an empty id is not all of them: {refused:?}");
    Ok(())
}

#[tokio::test]
async fn what_is_retried_or_dropped_is_one_or_what_the_flags_leave() -> Result<()> {
    let program = Program::start(Vec::new()).await?;
    let filters = ["--protocol", "sms", "--from", "2026-01-31T12:00:00Z"];
    for (what, flags) in [
        ("retry", vec!["--pending"]),
        ("retry", [&["--pending"], &filters[..]].concat()),
        ("drop", vec!["--pending", "--protocol", "sms"]),
        ("drop", vec!["--held"]),
    ] {
        let done = program.command(&[&["delivery", what][..], &flags].concat())?;
        assert!(done.status.success(), "{what} {flags:?}: {done:?}");
    }
    for (what, flags) in [
        ("retry", vec![]),
        ("retry", vec!["--held"]),
        ("drop", vec![]),
        ("drop", vec!["--dead"]),
        ("drop", vec!["--protocol", "sms"]),
        ("drop", vec!["--pending", "--held"]),
        ("drop", vec!["01234567-89ab-7def-8123-456789abcdef", "--held"]),
    ] {
        let wrong = program.command(&[&["delivery", what][..], &flags].concat())?;
        assert_eq!(wrong.status.code(), Some(2), "{what} {flags:?}: {wrong:?}");
    }
    let refused = program.command(&["delivery", "drop", "--pending", "--subscription", ""])?;
    assert_eq!(refused.status.code(), Some(2), "an empty id is not all of them: {refused:?}");
    Ok(())
}

#[tokio::test]
async fn the_admin_keys_file_is_named_only_where_it_holds_the_key() -> Result<()> {
    let (filed, key) = (Program::start(Vec::new()).await?, "configured-for-the-server");
    assert!(filed.log().contains("admin.key"), "{}", filed.log());
    let configured = Program::start(vec![("ORDERBELL_ADMIN_KEY", key.to_owned())]).await?;
    assert!(!configured.log().contains("admin.key"), "{}", configured.log());
    let list = configured.command_with(&["order", "list"], &vec![("ORDERBELL_ADMIN_KEY", key.to_owned())])?;
    assert!(list.status.success(), "a command knows it by the same variable: {list:?}");
    Ok(())
}

#[tokio::test]
async fn what_the_server_refuses_is_told_in_the_words_of_the_command_line() -> Result<()> {
    let program = Program::start(Vec::new()).await?;
    let place = ["order", "place", "--customer", "Ada", "--product", "Pad"];
    let policy = r#"{"total":[{"numeric":[">"]}]}"#;
    let cases: [(&[&str], &[&str], &str); 7] = [
        (&place, &["--email", "nonsense"], "--email must be a mail address"),
        (&place, &["--total", "19,90"], "--total must be a number"),
        (&place, &["--total", "-5"], "--total must not be negative"),
        (&place, &["--idempotency-key", "short"], "--idempotency-key must be 16 to 255"),
        (&["subscription", "add"], &["sms", "0151"], "ENDPOINT must be a phone number"),
        (
            &["subscription", "add", "email", "a@b.example"],
            &["--filter-policy", policy],
            "--filter-policy: total.",
        ),
        (&["order", "list"], &["--cursor", "abc"], "--cursor is not one of this list"),
    ];
    for (command, wrong, words) in cases {
        let refused = program.command(&[command, wrong].concat())?;
        assert_eq!(refused.status.code(), Some(1), "{wrong:?}: {refused:?}");
        assert!(text(&refused.stderr).contains(words), "{wrong:?}: {refused:?}");
    }
    let astray = program.command(&["order", "list", "--url", &format!("{}/shop", program.url())])?;
    let said = text(&astray.stderr);
    assert!(said.contains("there is nothing at ") && said.contains("--url names Orderbell's own"), "{said}");
    Ok(())
}

#[tokio::test]
async fn whom_it_escalates_to_and_who_is_sent_nothing_is_warned_of() -> Result<()> {
    let program = Program::start(Vec::new()).await?;
    let id = text(&program.command(&["subscription", "add", "email", "boss@example.com"])?.stdout);
    let escalation = format!(r#"{{"afterMinutes":15,"subscriptionId":"{id}"}}"#);
    let add = ["subscription", "add", "email", "you@example.com", "--escalation", &escalation];
    let added = program.command(&add)?;
    assert!(added.status.success(), "{added:?}");
    let warned = text(&added.stderr);
    assert!(warned.contains("WARNING: it escalates to boss@example.com, which is pending"), "{warned}");
    let message = program.client()?.wait_for_message("boss@example.com", "Confirm").await?;
    program.command(&["subscription", "confirm", message["link"].as_str().unwrap_or_default()])?;
    let other = text(&program.command(&["subscription", "add", "email", "me@example.com"])?.stdout);
    let change = |id: &str| program.command(&["subscription", "change", id, "--escalation", &escalation]);
    assert!(!text(&change(&other)?.stderr).contains("WARNING"), "it is confirmed");
    program.command(&["subscription", "suspend", &id])?;
    assert!(text(&change(&other)?.stderr).contains("which is suspended"));
    Ok(())
}

#[tokio::test]
async fn an_order_without_its_key_says_which_key_is_wanted() -> Result<()> {
    let key = "obk_0123456789abcdef0123456789abcdef";
    let hash = "c2f0ee2eb80f40bfec3b1ae8f6f6ac5bbf4be3f7ca1ae4d2c2ad0b1ac2a4bb2d";
    let settings =
        [("ORDERBELL_INTAKE", "key".to_owned()), ("ORDERBELL_INTAKE_KEYS", format!("shop={hash}"))];
    let program = Program::start(settings.to_vec()).await?;
    let url = program.url();
    let place = |keys: &[(&'static str, String)]| {
        let args = ["order", "place", "--customer", "Ada", "--product", "Pad", "--url", &url];
        program.command_with(&args, &keys.to_vec())
    };
    let none = place(&[])?;
    assert_eq!(none.status.code(), Some(1), "{none:?}");
    for words in ["wants the key of a client", "`orderbell key new NAME`", "--key-file FILE"] {
        assert!(text(&none.stderr).contains(words), "{none:?}");
    }
    let wrong = place(&[("ORDERBELL_KEY", key.to_owned())])?;
    let said = text(&wrong.stderr);
    assert!(
        said.contains("does not take the key from ORDERBELL_KEY: it wants the key of a client"),
        "{said}"
    );
    assert!(!said.contains(key), "{said}");
    Ok(())
}
