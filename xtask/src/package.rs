//! `cargo xtask package`: the Lambda program as the zip that Lambda takes.

mod glibc;
mod machine;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;

use crate::install::install_package_tools;
use crate::steps::succeed;

use self::glibc::Version;

/// The C library of `provided.al2023`: <https://docs.aws.amazon.com/linux/al2023/ug/core-glibc.html>
const LAMBDA_GLIBC: Version = Version { major: 2, minor: 34 };
/// The largest zip, in bytes: Lambda fetches and unpacks it before a cold start.
const MAX_ZIP: u64 = 6 * 1024 * 1024;

/// The processors that Lambda has, by Lambda's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Architecture {
    /// Graviton: cheaper, and what the template deploys unless told otherwise.
    Arm64,
    /// Intel and AMD.
    #[value(name = "x86_64")]
    X86,
}

impl Architecture {
    fn name(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::X86 => "x86_64",
        }
    }

    /// The one of this machine.
    pub(crate) fn of_this_machine() -> Self {
        if cfg!(target_arch = "aarch64") { Self::Arm64 } else { Self::X86 }
    }

    /// Where its program is once it is built.
    pub(crate) fn program(self, root: &Path) -> PathBuf {
        root.join("target").join(self.target()).join("lambda/bootstrap")
    }

    /// Where its zip is once it is built.
    pub(crate) fn zip(self, root: &Path) -> PathBuf {
        root.join("target/lambda").join(self.name()).join("orderbell-lambda.zip")
    }

    fn target(self) -> &'static str {
        match self {
            Self::Arm64 => "aarch64-unknown-linux-gnu",
            Self::X86 => "x86_64-unknown-linux-gnu",
        }
    }
}

/// Builds the zip, checks it, says what it is, and puts a copy where the template takes it from.
///
/// # Errors
/// It cannot be built here, is too large, or would not run on Lambda.
pub(crate) fn run(root: &Path, architecture: Architecture) -> Result<()> {
    require_standard_library(architecture)?;
    let tools = install_package_tools(root)?;
    let lambda = root.join("target/lambda");
    let folder = lambda.join(architecture.name());
    succeed(build(root, architecture, &tools, &folder)?.args(["--output-format", "zip"]))?;

    let program = fs::read(architecture.program(root))?;
    machine::require(&program, architecture)?;
    let needed = glibc::needed(&program)?;
    ensure!(needed <= LAMBDA_GLIBC, "the program needs glibc {needed}, and Lambda has {LAMBDA_GLIBC}");
    let zip = architecture.zip(root);
    fs::rename(folder.join("bootstrap.zip"), &zip).context("the zip that was built")?;
    let size = fs::metadata(&zip)?.len();
    ensure!(size <= MAX_ZIP, "{} has {size} bytes, more than {MAX_ZIP}", zip.display());
    fs::copy(&zip, lambda.join("orderbell.zip"))?;

    eprintln!("{}: {size} bytes of at most {MAX_ZIP}", zip.display());
    eprintln!("program: {} bytes, {}, needs glibc {needed}", program.len(), architecture.target());
    eprintln!("built by {}", versions(&tools)?.join(", "));
    let template = fs::read_to_string(root.join("deploy/aws/template.yaml"))?;
    if machine::of_template(&template)? != architecture {
        let name = architecture.name();
        eprintln!("the template deploys another architecture unless told: deploy with Architecture={name}");
    }
    Ok(())
}

/// Builds the program that also publishes in the request, which only a comparison needs, and answers where it is. The
/// one that is released is another file.
///
/// # Errors
/// It cannot be built here.
pub(crate) fn build_publishing_in_request(root: &Path, architecture: Architecture) -> Result<PathBuf> {
    require_standard_library(architecture)?;
    let tools = install_package_tools(root)?;
    let folder = root.join("target/lambda/publish-in-request");
    let feature = ["--features", "publish-in-request", "--output-format", "binary"];
    succeed(build(root, architecture, &tools, &folder)?.args(feature))?;
    Ok(folder.join("bootstrap"))
}

/// With zig as linker no C compiler of the target is needed, but Rust's own library is.
fn require_standard_library(architecture: Architecture) -> Result<()> {
    let target = architecture.target();
    let folder = said(Command::new("rustc").args(["--print", "target-libdir", "--target", target]))?;
    let found = fs::read_dir(&folder).is_ok_and(|mut files| {
        files.any(|file| file.is_ok_and(|file| file.file_name().to_string_lossy().starts_with("libstd-")))
    });
    ensure!(
        found,
        "Rust's standard library for {target} is not installed ({folder}); run `rustup target add {target}`"
    );
    Ok(())
}

/// The build itself. The program is linked against Lambda's C library, whatever the one of this machine.
fn build(root: &Path, architecture: Architecture, tools: &Path, folder: &Path) -> Result<Command> {
    let target = format!("{}.{LAMBDA_GLIBC}", architecture.target());
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([PathBuf::from(tools)].into_iter().chain(env::split_paths(&path)))?;
    let mut command = Command::new(tools.join("cargo-lambda"));
    command.current_dir(root).env("PATH", path);
    command.args(["lambda", "build", "--package", "orderbell-lambda", "--bin", "bootstrap", "--locked"]);
    // The profile says all there is to say; the tool's own optimisations would make a panic end the process.
    command.args(["--profile", "lambda", "--disable-optimizations", "--skip-target-check"]);
    command.args(["--compiler", "cargo-zigbuild", "--target", &target]);
    command.args(["--flatten", "bootstrap", "--lambda-dir"]).arg(folder);
    Ok(command)
}

fn versions(tools: &Path) -> Result<[String; 3]> {
    Ok([
        said(Command::new("rustc").arg("--version"))?,
        said(Command::new(tools.join("cargo-lambda")).args(["lambda", "--version"]))?,
        said(Command::new(tools.join("python-zig")).arg("version"))
            .map(|version| format!("zig {version}"))?,
    ])
}

/// What a command prints.
fn said(command: &mut Command) -> Result<String> {
    let name = command.get_program().display().to_string();
    let output = command.output().with_context(|| format!("starting {name}"))?;
    ensure!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
