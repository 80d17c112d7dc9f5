//! What someone meets who uses the program for the first time, and gets something wrong.

use std::fs;
use std::net::TcpListener;
use std::process::Output;

use anyhow::Result;
use orderbell_e2e::program::{Program, new_home, orderbell};

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
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
    for (variables, words) in cases {
        let home = tempfile::tempdir()?;
        let mut serve = orderbell(home.path());
        let output =
            serve.args(["serve", "--listen", "127.0.0.1:0"]).envs(variables.iter().copied()).output()?;
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
    let nowhere = list(&["--url", &program.url()])?;
    let looked = elsewhere.path().join("orderbell-data/admin.key").display().to_string();
    for words in [looked.as_str(), "--data (ORDERBELL_DATA)", "--key (ORDERBELL_KEY)"] {
        assert!(nowhere.contains(words), "{nowhere}");
    }
    let wrong = list(&["--url", &program.url(), "--key", "obk_admin_of_another_server"])?;
    assert!(wrong.contains("does not take the key from --key (ORDERBELL_KEY)"), "{wrong}");
    assert!(!wrong.contains("obk_admin_of_another_server"), "{wrong}");
    for url in ["127.0.0.1:8080", "localhost:8080", "ftp://127.0.0.1", "http://"] {
        assert!(
            list(&["--url", url])?.contains("--url (ORDERBELL_URL): must be an http or https URL"),
            "{url}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_webhook_on_this_machine_is_refused_with_the_setting_that_allows_it() -> Result<()> {
    let program = Program::start(Vec::new()).await?;
    for url in ["http://localhost:9000", "http://127.0.0.1:9000/hook", "http://10.0.0.7", "http://[::1]:9000"]
    {
        let refused = program.command(&["subscription", "add", "webhook", url])?;
        assert_eq!(refused.status.code(), Some(1), "{url}");
        assert!(
            said(&refused).contains("webhook.allowed_hosts (ORDERBELL_WEBHOOK_ALLOWED_HOSTS)"),
            "{url}: {refused:?}"
        );
    }
    Ok(())
}
