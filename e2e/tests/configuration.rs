//! Configuration is checked as a whole before anything starts.

use std::fs;
use std::process::Output;

use anyhow::Result;
use orderbell_e2e::program::{Program, orderbell};

fn succeeds(output: &Output) {
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn every_mistake_is_named_with_where_it_was_made_and_nothing_starts() -> Result<()> {
    let home = tempfile::tempdir()?;
    fs::write(
        home.path().join("orderbell.toml"),
        "lisen = \"127.0.0.1:0\"\n[smtp]\nport = 99999\nhost = \"x\"\n",
    )?;
    let output = orderbell(home.path()).env("ORDERBELL_LOG_FORMAT", "xml").output()?;
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    for part in
        ["lisen in orderbell.toml", "smtp.port in orderbell.toml", "smtp.from", "ORDERBELL_LOG_FORMAT"]
    {
        assert!(said.contains(part), "{part} is not named in:\n{said}");
    }
    assert!(!home.path().join("orderbell-data").exists());
    Ok(())
}

#[test]
fn outside_loopback_it_does_not_start_unless_intake_and_public_url_are_chosen() -> Result<()> {
    let home = tempfile::tempdir()?;
    let output = orderbell(home.path()).args(["serve", "--listen", "0.0.0.0:0"]).output()?;
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("intake (ORDERBELL_INTAKE)"), "{said}");
    assert!(said.contains("public_url (ORDERBELL_PUBLIC_URL)"), "{said}");
    Ok(())
}

#[tokio::test]
async fn commands_ask_the_server_where_its_settings_file_says_it_is() -> Result<()> {
    let program = Program::start(Vec::new()).await?;
    let (home, address) = (tempfile::tempdir()?, program.url().replace("http://", ""));
    let settings = format!("listen = {address:?}\ndata = {:?}\nintake = \"key\"\n", program.data());
    fs::write(home.path().join("orderbell.toml"), &settings)?;
    succeeds(
        &orderbell(home.path()).args(["order", "place", "--customer", "Jo", "--product", "Pad"]).output()?,
    );
    let listed = orderbell(home.path()).args(["order", "list"]).output()?;
    assert!(String::from_utf8_lossy(&listed.stdout).contains("Jo"), "with the admin key there: {listed:?}");
    succeeds(&orderbell(home.path()).arg("audit").output()?);

    let elsewhere = tempfile::tempdir()?;
    let named = home.path().join("orderbell.toml");
    let list = || {
        let mut list = orderbell(elsewhere.path());
        list.env("ORDERBELL_CONFIG", &named).args(["order", "list"]);
        list
    };
    succeeds(&list().output()?);
    assert_eq!(list().args(["--url", "http://127.0.0.1:1"]).output()?.status.code(), Some(1));
    let key = program.data().join("admin.key");
    succeeds(&list().args(["--url", &program.url(), "--key-file"]).arg(&key).output()?);
    let untold = list().args(["--url", &program.url()]).output()?;
    assert_eq!(untold.status.code(), Some(1), "the data folder's key is told to nobody: {untold:?}");
    Ok(())
}

#[test]
fn an_event_goes_to_the_data_folder_that_the_servers_settings_name() -> Result<()> {
    let home = tempfile::tempdir()?;
    let folder = |name: &str| home.path().join(name);
    fs::write(folder("orderbell.toml"), "listen = \"127.0.0.1:1\"\ndata = \"of-the-file\"\n")?;
    fs::write(folder("event.json"), r#"{"body": {"customerName": "Jo", "productName": "Pad"}}"#)?;
    succeeds(&orderbell(home.path()).args(["invoke", "event.json"]).output()?);
    let variable = ("ORDERBELL_DATA", "of-the-variable");
    succeeds(&orderbell(home.path()).env(variable.0, variable.1).args(["invoke", "event.json"]).output()?);
    let flag = ["invoke", "event.json", "--data", "of-the-flag"];
    succeeds(&orderbell(home.path()).env(variable.0, variable.1).args(flag).output()?);
    assert!(!folder("orderbell-data").exists());
    for name in ["of-the-file", "of-the-variable", "of-the-flag"] {
        let audited = orderbell(home.path()).args(["audit", "--data", name]).output()?;
        assert!(String::from_utf8_lossy(&audited.stdout).starts_with("1 order, "), "{name}: {audited:?}");
    }
    let audited = orderbell(home.path()).arg("audit").output()?;
    assert!(String::from_utf8_lossy(&audited.stdout).starts_with("1 order, "), "of the file: {audited:?}");
    Ok(())
}
