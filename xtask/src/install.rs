//! Installs what the chores need: into the project's own ignored folder, or from Debian.

mod emulators;
mod peers;
mod relays;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::both::both;
use crate::steps::succeed;

pub(crate) use emulators::{Emulators, install_emulators};
pub(crate) use peers::install_benchmark_peers;

/// The npm package of Prism, which answers as an `OpenAPI` description says.
const PRISM_PACKAGE: &str = "@stoplight/prism-cli@5.16.0";

/// The programs that come from Debian, and the packages that hold them.
const DEBIAN: [(&str, &str); 5] = [
    ("chromium", "chromium"),
    ("chromedriver", "chromium-driver"),
    ("spamassassin", "spamassassin"),
    ("sqlite3", "sqlite3"),
    ("strace", "strace"),
];

/// What the tests need, and where it lies.
#[derive(Debug)]
pub(crate) struct Tools {
    /// A Python that has the tests' peers' packages.
    pub(crate) python: PathBuf,
    /// The script that Node runs as Prism.
    pub(crate) prism: PathBuf,
    /// Where Debian's mail relays were unpacked; none where nobody is root, who alone can run them.
    pub(crate) relays: Option<PathBuf>,
}

/// Installs what the tests need and is missing, all at once: most of the time is spent waiting for the network.
///
/// # Errors
/// Something cannot be installed here; the message says what and how to do it by hand.
pub(crate) fn install(root: &Path) -> Result<Tools> {
    let debian = [&DEBIAN[..], &emulators::DEBIAN].concat();
    let packages = || both(|| install_peers(root), || emulators::install_packages(root));
    let debian = || {
        install_debian_packages(&debian)?;
        if is_root()? { unpack_relays(root).map(Some) } else { Ok(None) }
    };
    let (relays, ((python, prism), _)) = both(debian, packages)?;
    Ok(Tools { python, prism, relays })
}

/// Where Debian's mail relays, and Postfix's own client and sink, were unpacked.
///
/// # Errors
/// Debian's packages cannot be had here.
pub(crate) fn unpack_relays(root: &Path) -> Result<PathBuf> {
    relays::unpack(&root.join(".tools/relays"))
}

/// The Python that has the peers' packages, and Prism's script.
fn install_peers(root: &Path) -> Result<(PathBuf, PathBuf)> {
    let folder = root.join(".tools");
    let python = || install_python_packages(&root.join("e2e/peers/requirements.txt"), &folder.join("python"));
    let prism = || install_npm_package(PRISM_PACKAGE, &folder.join("prism"));
    let (python, modules) = both(python, prism)?;
    Ok((python, modules.join("@stoplight/prism-cli/dist/index.js")))
}

/// Installs `cargo-deny`, and answers its path.
///
/// # Errors
/// It cannot be installed here.
pub(crate) fn install_deny(root: &Path) -> Result<PathBuf> {
    let folder = root.join(".tools/deny");
    install_python_packages(&root.join("xtask/src/check/requirements.txt"), &folder)?;
    Ok(folder.join("bin/cargo-deny"))
}

/// Installs AWS's own tools for templates, and answers the folder of their programs.
///
/// # Errors
/// They cannot be installed here.
pub(crate) fn install_template_tools(root: &Path) -> Result<PathBuf> {
    let folder = root.join(".tools/template");
    install_python_packages(&root.join("e2e/peers/aws-requirements.txt"), &folder)?;
    Ok(folder.join("bin"))
}

/// Installs what asks the program what its `OpenAPI` document promises, and answers its path.
///
/// # Errors
/// It cannot be installed here.
pub(crate) fn install_schemathesis(root: &Path) -> Result<PathBuf> {
    let folder = root.join(".tools/schemathesis");
    install_python_packages(&root.join("xtask/src/schemathesis/requirements.txt"), &folder)?;
    Ok(folder.join("bin/schemathesis"))
}

/// Installs what builds for Lambda's machines, and answers the folder of its programs.
///
/// # Errors
/// It cannot be installed here.
pub(crate) fn install_package_tools(root: &Path) -> Result<PathBuf> {
    let folder = root.join(".tools/package");
    install_python_packages(&root.join("xtask/src/package/requirements.txt"), &folder)?;
    Ok(folder.join("bin"))
}

/// Installs the packages of the programs that are not there.
fn install_debian_packages(wanted: &[(&str, &str)]) -> Result<()> {
    let missing: Vec<_> =
        wanted.iter().filter(|(program, _)| find(program).is_none()).map(|(_, package)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if find("apt-get").is_none() || !is_root()? {
        bail!("the tests need these Debian packages; as root: apt-get install {}", missing.join(" "));
    }
    let apt = |args: &[&str]| {
        let mut apt = Command::new("apt-get");
        // What it does goes to its output, what goes wrong to its errors.
        apt.env("DEBIAN_FRONTEND", "noninteractive").args(args).stdin(Stdio::null()).stdout(Stdio::null());
        succeed(&mut apt).with_context(|| format!("apt-get {}", args.join(" ")))
    };
    apt(&["update", "--quiet"])?;
    apt(&[&["install", "--yes", "--quiet", "--no-install-recommends"], missing.as_slice()].concat())
}

/// Makes a virtual environment, and again whenever the requirements change. They name everything: nothing is added for
/// what they depend on. Nothing is compiled ahead, either: of most packages little is ever run.
fn install_python_packages(requirements: &Path, folder: &Path) -> Result<PathBuf> {
    let wanted = fs::read_to_string(requirements).with_context(|| requirements.display().to_string())?;
    let mark = folder.join("installed.txt");
    let python = folder.join("bin/python");
    if fs::read_to_string(&mark).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder))
        .context("making a Python environment (on Debian it takes the package python3-venv)")?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile"]);
    succeed(pip.arg("--requirement").arg(requirements))
        .with_context(|| format!("installing {}", requirements.display()))?;
    fs::write(mark, wanted)?;
    Ok(python)
}

/// Installs a package beside nothing else, and again whenever another version is wanted; answers its `node_modules`. No
/// script of its packages runs.
fn install_npm_package(package: &str, folder: &Path) -> Result<PathBuf> {
    let mark = folder.join("installed.txt");
    if !fs::read_to_string(&mark).is_ok_and(|installed| installed == package) {
        fs::create_dir_all(folder)?;
        let mut npm = Command::new("npm");
        npm.args([
            "install",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--no-save",
            "--silent",
            "--prefix",
        ]);
        succeed(npm.arg(folder).arg(package)).with_context(|| format!("installing {package}"))?;
        fs::write(mark, package)?;
    }
    Ok(folder.join("node_modules"))
}

/// The program of that name on the search path.
fn find(program: &str) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// Whether this runs as root.
pub(crate) fn is_root() -> Result<bool> {
    let output = Command::new("id").arg("-u").output().context("id -u")?;
    Ok(output.stdout.trim_ascii() == b"0")
}
