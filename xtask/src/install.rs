//! Installs what the tests need: into the project's own ignored folder, or from Debian.

mod emulators;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::cargo::cargo;
use crate::steps::succeed;

pub(crate) use emulators::{Emulators, install_emulators};

const DENY_VERSION: &str = "0.20.2";

/// The npm package of Prism, which answers as an `OpenAPI` description says.
const PRISM_PACKAGE: &str = "@stoplight/prism-cli@5.16.0";

/// The programs that come from Debian, and the packages that hold them.
const DEBIAN: [(&str, &str); 4] = [
    ("chromium", "chromium"),
    ("chromedriver", "chromium-driver"),
    ("sqlite3", "sqlite3"),
    ("strace", "strace"),
];

/// Where the tools lie.
#[derive(Debug)]
pub(crate) struct Tools {
    /// A Python that has the tests' peers' packages.
    pub(crate) python: PathBuf,
    /// The script that Node runs as Prism.
    pub(crate) prism: PathBuf,
    /// `cargo-deny`.
    pub(crate) deny: PathBuf,
}

/// Installs what is missing.
///
/// # Errors
/// Something cannot be installed here; the message says what and how to do it by hand.
pub(crate) fn install(root: &Path) -> Result<Tools> {
    let folder = root.join(".tools");
    install_debian_packages(&DEBIAN)?;
    let python = install_python_packages(&root.join("e2e/peers/requirements.txt"), &folder.join("python"))?;
    let prism =
        install_npm_package(PRISM_PACKAGE, &folder.join("prism"))?.join("@stoplight/prism-cli/dist/index.js");
    let deny = install_deny(root, &folder)?;
    Ok(Tools { python, prism, deny })
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
        succeed(Command::new("apt-get").env("DEBIAN_FRONTEND", "noninteractive").args(args))
            .with_context(|| format!("apt-get {}", args.join(" ")))
    };
    apt(&["update", "--quiet"])?;
    apt(&[&["install", "--yes", "--quiet", "--no-install-recommends"], missing.as_slice()].concat())
}

/// Makes a virtual environment, and again whenever the requirements change.
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
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
        .arg(requirements);
    succeed(&mut pip).context("installing the Python packages")?;
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

fn install_deny(root: &Path, folder: &Path) -> Result<PathBuf> {
    let own = folder.join("bin/cargo-deny");
    for candidate in [Some(own.clone()), find("cargo-deny")].into_iter().flatten() {
        if is_wanted_deny(&candidate) {
            return Ok(candidate);
        }
    }
    // Unoptimised: it builds in half the time and runs for seconds.
    let args =
        ["install", "cargo-deny", "--version", DENY_VERSION, "--locked", "--debug", "--force", "--quiet"];
    let target = folder.join("build");
    succeed(cargo(root, &args).arg("--root").arg(folder).arg("--target-dir").arg(&target))?;
    fs::remove_dir_all(target)?;
    Ok(own)
}

fn is_wanted_deny(program: &Path) -> bool {
    let output = Command::new(program).arg("--version").stderr(Stdio::null()).output();
    output
        .is_ok_and(|output| output.stdout.trim_ascii_end() == format!("cargo-deny {DENY_VERSION}").as_bytes())
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
