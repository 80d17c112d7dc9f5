//! `orderbell key new`: a key for a client that places orders.

use clap::Subcommand;
use host::SystemRandomness;
use toml::{Table, Value};

use super::{Failure, output};
use crate::keys::new_key;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Make a key, and the lines that let the server know it
    New {
        /// Whose key it is
        name: String,
    },
}

/// Prints a new key, which is kept nowhere, and what to configure.
pub(super) fn new(name: &str) -> Result<(), Failure> {
    if name.is_empty()
        || name == "admin"
        || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    {
        return Err(Failure::Usage(vec!["NAME must be of A-Z a-z 0-9 - _ . and not admin".to_owned()]));
    }
    let key = new_key("obk_", &SystemRandomness);
    output::note("Give the key to the client; it is not shown again. In orderbell.toml:\n");
    output::note(&settings(name, &key));
    let hash = web::KeyHash::of(&key);
    output::note(&format!("\nOr let it read /metrics, and nothing else:\n\nmetrics_key = \"{hash}\"\n"));
    Ok(output::line(&key)?)
}

/// What lets the server know the key, as its settings file has it.
fn settings(name: &str, key: &str) -> String {
    let hash = Value::String(web::KeyHash::of(key).to_string());
    let known = Table::from_iter([(name.to_owned(), hash)]);
    let settings = [
        ("intake".to_owned(), Value::String("key".to_owned())),
        ("intake_keys".to_owned(), Value::Table(known)),
    ];
    Table::from_iter(settings).to_string().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Layers};

    #[test]
    fn the_server_takes_the_line_that_is_printed() {
        for name in ["shop", "my.shop", "2026", "-", "_a-b.c", "true", "a..b", ".", "intake_keys"] {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("orderbell.toml");
            std::fs::write(&file, settings(name, "obk_some_key_or_other")).unwrap();
            let config = Config::read(Layers::default().file(Some(&file))).unwrap();
            let web::OrderAuth::Keys(keys) = config.order_auth else { panic!("{name}") };
            assert_eq!(keys.iter().map(|key| key.name.as_str()).collect::<Vec<_>>(), [name]);
            assert!(keys[0].hash.matches(&web::KeyHash::of("obk_some_key_or_other")), "{name}");
        }
    }
}
