//! Installs what Orderbell is measured beside: `PostgreSQL`, queues of jobs on it for Node, and `FastAPI`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::{install_debian_packages, install_python_packages};
use crate::both::both;
use crate::steps::succeed;

/// The server, which Debian keeps off the search path, and its package.
const DEBIAN: [(&str, &str); 1] = [("/usr/lib/postgresql/15/bin/postgres", "postgresql-15")];

/// Installs what is missing; answers the folder in which the rest lies beside what comes from Debian.
///
/// # Errors
/// Something cannot be installed here.
pub(crate) fn install_benchmark_peers(root: &Path) -> Result<PathBuf> {
    let (sources, folder) = (root.join("bench/peers"), root.join(".tools/peers"));
    let recipe = || install_python_packages(&sources.join("recipe/requirements.txt"), &folder.join("recipe"));
    let node = || install_node_packages(&sources.join("node"), &folder.join("node"));
    both(|| install_debian_packages(&DEBIAN), || both(recipe, node))?;
    Ok(folder)
}

/// Lays the scripts beside the packages that their lock file names, Node among these: a script finds its packages in the
/// folders above it alone. No script of a package runs.
fn install_node_packages(sources: &Path, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    for entry in fs::read_dir(sources).with_context(|| sources.display().to_string())? {
        let entry = entry?;
        fs::copy(entry.path(), folder.join(entry.file_name()))?;
    }
    let mark = folder.join("installed.txt");
    let wanted = fs::read_to_string(sources.join("package-lock.json"))?;
    if fs::read_to_string(&mark).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", "--prefix"]).arg(folder);
    succeed(&mut npm).with_context(|| format!("installing {}", sources.display()))?;
    Ok(fs::write(mark, wanted)?)
}
