//! What someone meets who uses the program for the first time, and gets something wrong.

use std::fs;
use std::process::Output;

use anyhow::Result;
use orderbell_e2e::program::orderbell;

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
