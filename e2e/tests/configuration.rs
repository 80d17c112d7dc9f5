//! Configuration is checked as a whole before anything starts.

use anyhow::Result;
use orderbell_e2e::program::orderbell;

#[test]
fn every_mistake_is_named_with_where_it_was_made_and_nothing_starts() -> Result<()> {
    let home = tempfile::tempdir()?;
    std::fs::write(
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
fn outside_loopback_it_does_not_start_unless_intake_is_chosen() -> Result<()> {
    let home = tempfile::tempdir()?;
    let output = orderbell(home.path()).args(["serve", "--listen", "0.0.0.0:0"]).output()?;
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("intake"), "{output:?}");
    Ok(())
}
