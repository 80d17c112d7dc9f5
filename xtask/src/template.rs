//! `cargo xtask template`: whether AWS would take the template, as far as that can be told without AWS.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::install::install_template_tools;
use crate::steps::succeed;

/// Where the limits and the types of resources are looked up; they hardly differ elsewhere.
const REGION: &str = "us-east-1";

/// Installs AWS's own tools and checks the template with them. They ask nothing of AWS and need no account.
///
/// # Errors
/// The template has a mistake, which the tool prints, or the tools cannot be installed.
pub(crate) fn run(root: &Path) -> Result<()> {
    check(root, &install_template_tools(root)?)
}

/// Checks the template with AWS's own tools, which lie in `tools`: as it is written, and then what it becomes, since
/// some mistakes show only there.
///
/// # Errors
/// The template has a mistake, which the tool prints.
pub(crate) fn check(root: &Path, tools: &Path) -> Result<()> {
    let written = root.join("deploy/aws/template.yaml");
    let validate = ["validate", "--lint", "--region", REGION, "--template"];
    succeed(tool(tools, "sam").args(validate).arg(&written)).context("sam validate")?;
    let translated = translated(root)?;
    let translate = root.join("xtask/src/template/translate.py");
    succeed(tool(tools, "python").arg(translate).args([&written, &translated])).context("translating")?;
    succeed(tool(tools, "cfn-lint").args(["--regions", REGION, "--"]).arg(translated)).context("cfn-lint")
}

fn translated(root: &Path) -> Result<PathBuf> {
    let folder = root.join("target/template");
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    Ok(folder.join("cloudformation.json"))
}

fn tool(tools: &Path, name: &str) -> Command {
    let mut command = Command::new(tools.join(name));
    command.env("AWS_DEFAULT_REGION", REGION).env("SAM_CLI_TELEMETRY", "0");
    command
}
