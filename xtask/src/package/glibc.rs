//! Which C library a program needs.

use std::fmt;

use anyhow::{Context, Result};
use object::Endianness;
use object::elf::FileHeader64;
use object::read::elf::FileHeader;

/// A version of glibc.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    pub(crate) major: u32,
    pub(crate) minor: u32,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The oldest glibc that has every symbol which the program asks it for.
///
/// # Errors
/// It is no 64-bit ELF program, or asks glibc for nothing.
pub(crate) fn needed(program: &[u8]) -> Result<Version> {
    let elf = FileHeader64::<Endianness>::parse(program)?;
    let endian = elf.endian()?;
    let sections = elf.sections(endian, program)?;
    let (files, strings) = sections.gnu_verneed(endian, program)?.context("it is linked to no library")?;
    let strings = sections.strings(endian, program, strings)?;
    let mut newest = None;
    for file in files {
        let (_, symbols) = file?;
        for symbol in symbols {
            newest = newest.max(parse(symbol?.name(endian, strings)?));
        }
    }
    newest.context("it asks glibc for nothing")
}

/// Reads `GLIBC_2.34`; other libraries' versions are none, and neither is `GLIBC_PRIVATE`.
fn parse(name: &[u8]) -> Option<Version> {
    let (major, rest) = std::str::from_utf8(name).ok()?.strip_prefix("GLIBC_")?.split_once('.')?;
    let minor = rest.split('.').next()?;
    Some(Version { major: major.parse().ok()?, minor: minor.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers_and_compare_as_numbers() {
        let version = |name: &str| parse(name.as_bytes());
        assert!(version("GLIBC_2.34") > version("GLIBC_2.9"));
        assert_eq!(version("GLIBC_2.2.5"), Some(Version { major: 2, minor: 2 }));
        for other in ["GLIBC_PRIVATE", "GCC_3.0", "2.34", ""] {
            assert_eq!(version(other), None, "{other}");
        }
    }

    #[test]
    fn this_very_program_needs_some_glibc() -> Result<()> {
        let this = std::fs::read(std::env::current_exe()?)?;
        let needed = needed(&this)?;
        assert!(needed > Version { major: 2, minor: 2 }, "{needed}");
        assert!(super::needed(b"#!/bin/sh").is_err());
        Ok(())
    }
}
