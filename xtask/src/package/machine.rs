//! Which processor a program is built for.

use anyhow::{Context, Result, bail, ensure};
use object::Endianness;
use object::elf::{EM_AARCH64, EM_X86_64, FileHeader64};
use object::read::elf::FileHeader;

use super::Architecture;

/// Makes sure that the program runs on that processor.
///
/// # Errors
/// It is for another one, or no 64-bit ELF program.
pub(super) fn require(program: &[u8], wanted: Architecture) -> Result<()> {
    let built = of(program)?;
    ensure!(
        built == wanted,
        "bootstrap is built for {}, and a function of the architecture {} cannot start it",
        built.name(),
        wanted.name()
    );
    Ok(())
}

fn of(program: &[u8]) -> Result<Architecture> {
    let elf = FileHeader64::<Endianness>::parse(program).context("bootstrap is no 64-bit ELF program")?;
    match elf.e_machine(elf.endian()?) {
        EM_AARCH64 => Ok(Architecture::Arm64),
        EM_X86_64 => Ok(Architecture::X86),
        other => {
            bail!("bootstrap is built for a processor that Lambda does not have (ELF machine {})", other.0)
        }
    }
}

/// The architecture that the template deploys unless told otherwise.
///
/// # Errors
/// Its parameter `Architecture` has no default, or one that is no processor of Lambda's.
pub(super) fn of_template(template: &str) -> Result<Architecture> {
    let parameter = template.split_once("\n  Architecture:\n").context("the template has no Architecture")?.1;
    let default = parameter.lines().find_map(|line| line.strip_prefix("    Default: "));
    match default {
        Some("arm64") => Ok(Architecture::Arm64),
        Some("x86_64") => Ok(Architecture::X86),
        other => bail!("the template's Architecture is {}", other.unwrap_or("without a default")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The head of a program for that ELF machine.
    fn elf(machine: u16) -> Vec<u8> {
        let mut head = vec![0; 64];
        head[..7].copy_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1, 1]);
        head[18..20].copy_from_slice(&machine.to_le_bytes());
        head
    }

    #[test]
    fn a_program_for_another_processor_is_refused_in_words() {
        for (machine, right, wrong) in [
            (EM_AARCH64.0, Architecture::Arm64, Architecture::X86),
            (EM_X86_64.0, Architecture::X86, Architecture::Arm64),
        ] {
            assert!(require(&elf(machine), right).is_ok());
            let said = require(&elf(machine), wrong).unwrap_err().to_string();
            assert!(said.contains(right.name()) && said.contains(wrong.name()), "{said}");
        }
        for (other, says) in [(elf(243), "ELF machine 243"), (b"#!/bin/sh".to_vec(), "no 64-bit ELF")] {
            assert!(require(&other, Architecture::Arm64).unwrap_err().to_string().contains(says));
        }
    }

    #[test]
    fn the_template_says_what_it_deploys() {
        let template = include_str!("../../../deploy/aws/template.yaml");
        assert_eq!(of_template(template).unwrap(), Architecture::Arm64);
        let other = template.replace("Default: arm64", "Default: x86_64");
        assert_eq!(of_template(&other).unwrap(), Architecture::X86);
        assert!(of_template(&template.replace("Default: arm64", "Default: riscv")).is_err());
    }
}
