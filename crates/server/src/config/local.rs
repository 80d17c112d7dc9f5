//! What commands beside a server must know of it.

use std::io::ErrorKind;
use std::iter;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::reading::Reading;
use super::{Layers, address, key};
use crate::file_permissions;

/// Where this machine's server is, and what opens it: the same settings that the server reads.
#[derive(Debug)]
pub(crate) struct Local {
    /// Where it listens.
    pub(crate) listen: SocketAddr,
    /// The data folder.
    pub(crate) data: PathBuf,
    /// The admin key, if it is not the one in the data folder.
    pub(crate) admin_key: Option<String>,
}

impl Local {
    /// Reads these settings and leaves the others unread.
    ///
    /// # Errors
    /// The mistakes in them, and in the file's form.
    pub(crate) fn read(layers: Layers) -> Result<Self, Vec<String>> {
        let mut reading = Reading::new(layers);
        let local = Self::of(&mut reading);
        reading.finish(local)
    }

    pub(super) fn of(reading: &mut Reading) -> Self {
        let data = reading.or("data", PathBuf::from("./orderbell-data"), folder);
        check_permissions(&data, reading);
        Self {
            listen: reading.or("listen", SocketAddr::from(([127, 0, 0, 1], 8080)), address),
            data,
            admin_key: reading.optional("admin_key", key),
        }
    }
}

/// A folder. What only a shell would have replaced would become a folder of that name.
fn folder(text: &str) -> Result<PathBuf, String> {
    if text.starts_with(['~', '$']) {
        return Err("must be written in full: ~ and $HOME are a shell's words".to_owned());
    }
    Ok(PathBuf::from(text))
}

/// Nobody else may have laid the data folder, or anything that is read in it, for us to find. Its secrets are looked at when
/// they are read.
fn check_permissions(data: &Path, reading: &mut Reading) {
    let within = ["orderbell.db", "orderbell.db-wal", "orderbell.db-shm", "orderbell.lock"];
    for path in iter::once(data.to_owned()).chain(within.map(|name| data.join(name))) {
        let why = match file_permissions::check_path(&path) {
            Ok(()) => continue,
            Err(error) if error.kind() == ErrorKind::NotADirectory => {
                format!("{} is no folder: name the one that is to hold the data", data.display())
            }
            Err(error) => format!("{} {error}", path.display()),
        };
        reading.mistake("data", &why);
        break;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_named_as_the_data_folder_is_told_to_be_none() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let layers = Layers::default().flag("data", Some(file.path().display().to_string()));
        let said = Local::read(layers).unwrap_err().concat();
        assert!(said.starts_with("--data: ") && said.contains("is no folder: name the one"), "{said}");
    }

    #[test]
    fn what_the_server_lacks_besides_is_no_concern_of_a_command_beside_it() {
        let layers = Layers::default().flag("listen", Some("0.0.0.0:81".to_owned()));
        assert!(Local::read(layers).is_ok(), "neither intake nor public_url is chosen");
    }
}
