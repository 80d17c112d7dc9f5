//! What somebody else laid for the program to find is not believed, and keys go to nobody who did not prove who he is.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::path::Path;
use std::process::Output;
use std::thread;

use anyhow::Result;
use orderbell_e2e::program::{Program, Settings, new_home, orderbell};

/// A user that is neither us nor root.
const ANOTHER: u32 = 54_321;

fn refused(output: &Output, words: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(1 | 2)), "{output:?}");
    for word in words {
        assert!(said.contains(word), "{word} is not in: {said}");
    }
}

fn chmod(path: &Path, mode: u32) -> Result<()> {
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(mode))?)
}

/// Gives a file away, which only root can.
fn is_given_away(path: &Path) -> bool {
    chown(path, Some(ANOTHER), Some(ANOTHER)).is_ok()
}

#[test]
fn a_settings_file_that_others_made_or_can_change_or_read_a_secret_in_is_refused() -> Result<()> {
    let home = new_home()?;
    let file = home.path().join("orderbell.toml");
    let list = || orderbell(home.path()).args(["order", "list"]).output();
    fs::write(&file, "listen = \"127.0.0.1:1\"\n")?;
    chmod(&file, 0o666)?;
    refused(&list()?, &["orderbell.toml", "mode 0666", "chmod go-w orderbell.toml"]);
    fs::write(&file, "admin_key = \"0123456789abcdefghij\"\n")?;
    chmod(&file, 0o644)?;
    refused(&list()?, &["orderbell.toml", "mode 0644", "others can read", "chmod go-rwx"]);
    chmod(&file, 0o600)?;
    refused(&list()?, &["no Orderbell answers"]);
    if is_given_away(&file) {
        refused(&list()?, &["orderbell.toml", "belongs to user 54321", "ORDERBELL_TRUST=user:54321"]);
        let trusted =
            orderbell(home.path()).env("ORDERBELL_TRUST", "user:54321").args(["order", "list"]).output()?;
        refused(&trusted, &["no Orderbell answers"]);
    }
    Ok(())
}

#[test]
fn a_data_folder_that_others_made_or_can_change_is_refused_by_every_command() -> Result<()> {
    let home = new_home()?;
    let data = home.path().join("orderbell-data");
    fs::create_dir(&data)?;
    fs::write(home.path().join("event.json"), "{}")?;
    // A program that went on would end here.
    let holder = TcpListener::bind("127.0.0.1:0")?;
    let taken = holder.local_addr()?.to_string();
    let commands: [&[&str]; 5] = [
        &["serve", "--listen", &taken],
        &["order", "list"],
        &["audit"],
        &["backup", "b"],
        &["invoke", "event.json"],
    ];
    chmod(&data, 0o777)?;
    for command in commands {
        refused(
            &orderbell(home.path()).args(command).output()?,
            &["orderbell-data", "mode 0777", "chmod go-w"],
        );
    }
    chmod(&data, 0o755)?;
    if is_given_away(&data) {
        for command in commands {
            refused(
                &orderbell(home.path()).args(command).output()?,
                &["orderbell-data", "belongs to user 54321"],
            );
        }
    }
    assert_eq!(fs::read_dir(&data)?.count(), 0, "nothing was written there");
    Ok(())
}

#[test]
fn keys_that_others_made_or_can_read_are_refused_and_none_is_written_where_a_link_leads() -> Result<()> {
    let home = new_home()?;
    let data = home.path().join("orderbell-data");
    fs::create_dir(&data)?;
    chmod(&data, 0o700)?;
    let (key, unfinished, target) =
        (data.join("admin.key"), data.join("admin.new"), home.path().join("target"));
    let event = r#"{"body": {"customerName": "Ada", "productName": "Pad"}}"#;
    fs::write(home.path().join("event.json"), event)?;
    let open = || orderbell(home.path()).args(["invoke", "event.json"]).output();
    fs::write(&key, "obk_admin_0123456789abcdef0123456789")?;
    chmod(&key, 0o644)?;
    refused(&open()?, &["admin.key", "mode 0644", "others can read"]);
    chmod(&key, 0o600)?;
    if is_given_away(&key) {
        refused(&open()?, &["admin.key", "belongs to user 54321"]);
    }
    fs::remove_file(&key)?;
    fs::write(&unfinished, "")?;
    if is_given_away(&unfinished) {
        refused(&open()?, &["admin.key", "belongs to user 54321"]);
    }
    fs::remove_file(&unfinished)?;
    symlink(&target, &unfinished)?;
    let made = open()?;
    assert!(made.status.success(), "{made:?}");
    assert!(!target.exists() && key.exists());
    assert_eq!(fs::metadata(&key)?.mode() & 0o777, 0o600);
    Ok(())
}

#[test]
fn a_link_that_others_laid_is_not_followed() -> Result<()> {
    let home = new_home()?;
    let at = |name: &str| home.path().join(name);
    fs::write(at("event.json"), "{}")?;
    fs::write(at("settings"), "listen = \"127.0.0.1:1\"\n")?;
    for folder in ["folder", "whole"] {
        fs::create_dir(at(folder))?;
        chmod(&at(folder), 0o700)?;
    }
    fs::write(at("key"), "obk_admin_0123456789abcdef0123456789")?;
    chmod(&at("key"), 0o600)?;
    for (target, link, command) in [
        ("settings", "orderbell.toml", &["order", "list"][..]),
        ("settings", "named.toml", &["order", "list", "--config", "named.toml"]),
        ("folder", "orderbell-data", &["order", "list"]),
        ("folder", "orderbell-data", &["invoke", "event.json"]),
        ("key", "whole/admin.key", &["invoke", "event.json", "--data", "whole"]),
        (
            "key",
            "orderbell.key",
            &["order", "list", "--url", "http://127.0.0.1:1", "--key-file", "orderbell.key"],
        ),
    ] {
        symlink(at(target), at(link))?;
        if lchown(at(link), Some(ANOTHER), Some(ANOTHER)).is_ok() {
            let output = orderbell(home.path()).args(command).output()?;
            refused(&output, &[link, "is a link that user 54321 made"]);
        }
        fs::remove_file(at(link))?;
    }
    Ok(())
}

#[tokio::test]
async fn a_socket_that_is_none_or_that_others_made_is_not_asked() -> Result<()> {
    let mut program = Program::start(Settings::new()).await?;
    program.kill()?;
    let socket = program.data().join("orderbell.sock");
    if is_given_away(&socket) {
        let words = ["orderbell.sock", "belongs to user 54321, and neither to you nor to root"];
        refused(&program.command(&["order", "list"])?, &words);
    }
    for lay in [lay_file, lay_folder, lay_link] {
        fs::remove_file(&socket)?;
        lay(&socket)?;
        refused(&program.command(&["order", "list"])?, &["orderbell.sock", "is no socket"]);
        if socket.is_dir() {
            fs::remove_dir(&socket)?;
            fs::write(&socket, "")?;
        }
    }
    Ok(())
}

fn lay_file(path: &Path) -> std::io::Result<()> {
    fs::write(path, "")
}

fn lay_folder(path: &Path) -> std::io::Result<()> {
    fs::create_dir(path)
}

/// It leads to a socket of somebody's, who could be asked.
fn lay_link(path: &Path) -> std::io::Result<()> {
    let elsewhere = path.with_file_name("elsewhere.sock");
    drop(std::os::unix::net::UnixListener::bind(&elsewhere)?);
    symlink(elsewhere, path)
}

#[tokio::test]
async fn no_command_tells_its_key_to_who_holds_the_port_of_a_server_that_is_down() -> Result<()> {
    let mut program = Program::start(Settings::new()).await?;
    let address = program.url().replace("http://", "");
    program.kill()?;
    let thief = TcpListener::bind(&address)?;
    let stolen = thread::spawn(move || -> std::io::Result<String> {
        let (mut stream, _) = thief.accept()?;
        let mut got = [0; 4096];
        let length = stream.read(&mut got)?;
        Ok(String::from_utf8_lossy(&got[..length]).into_owned())
    });
    let down = program.command_with(&["order", "list"], &vec![("ORDERBELL_LISTEN", address.clone())])?;
    refused(&down, &["no Orderbell answers at", "orderbell.sock"]);
    program.command(&["order", "list", "--url", &format!("http://{address}")])?;
    let got = stolen.join().map_err(|_| anyhow::anyhow!("the thief broke off"))??;
    let key = fs::read_to_string(program.data().join("admin.key"))?;
    assert!(got.starts_with("GET /orders") && !got.contains(key.trim()), "{got}");
    Ok(())
}

#[test]
fn a_key_goes_in_the_clear_to_this_machine_alone() -> Result<()> {
    let home = new_home()?;
    for url in ["http://orders.example.com", "http://192.0.2.7:8080", "http://localhost.example.com"] {
        let mut list = orderbell(home.path());
        list.env("ORDERBELL_KEY", "obk_0123456789abcdef").args(["order", "list", "--url", url]);
        refused(&list.output()?, &[url, "use https"]);
    }
    Ok(())
}
