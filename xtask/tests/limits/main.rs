//! `docs/LIMITS.md` against the sources and the contract: every bound stands there once, with the number that holds.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod constants;
mod contract;
mod internal;
mod numbers;
mod table;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use constants::{Constant, Constants};
use numbers::shown;
use table::Row;

/// The workspace's folder.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// What is wrong with a row: a name that is none's or several's, or another number than the sources have.
fn mistakes(row: &Row, constants: &Constants) -> Vec<String> {
    let found: Result<Vec<_>, _> = row.constants.iter().map(|name| constants.of_name(name)).collect();
    let held = found.and_then(|found| {
        let of_each: Result<Vec<_>, _> = found.into_iter().map(|one| constants.evaluate(one)).collect();
        of_each.map(|numbers| numbers.concat())
    });
    match held {
        Ok(_) if row.constants.is_empty() => vec![format!("{}: names no constant", row.what)],
        Ok(numbers) if numbers != row.numbers => {
            vec![format!("{}: says {}, the sources have {}", row.what, shown(&row.numbers), shown(&numbers))]
        }
        Ok(_) => Vec::new(),
        Err(mistake) => vec![format!("{}: {mistake}", row.what)],
    }
}

/// The constants that neither a row nor the list of those that bound nothing names.
fn unnamed(constants: &Constants, rows: &[Row], internal: &[&str]) -> Vec<String> {
    let named = rows.iter().flat_map(|row| row.constants.iter().map(String::as_str));
    let named: Vec<&Constant> =
        named.chain(internal.iter().copied()).filter_map(|name| constants.of_name(name).ok()).collect();
    let is_unnamed = |constant: &&Constant| !named.iter().any(|named| std::ptr::eq(*named, *constant));
    constants.all().iter().filter(is_unnamed).map(Constant::place).collect()
}

/// Names that stand in a row and among those that bound nothing, in two rows, or nowhere in the sources.
fn misplaced(constants: &Constants, rows: &[Row], internal: &[&str]) -> Vec<String> {
    let mut places = BTreeMap::<&str, usize>::new();
    let named = rows.iter().flat_map(|row| row.constants.iter().map(String::as_str));
    for name in named.chain(internal.iter().copied()) {
        *places.entry(name).or_default() += 1;
    }
    let twice =
        places.iter().filter(|(_, places)| **places > 1).map(|(name, _)| format!("{name} stands twice"));
    let of_none = internal.iter().filter_map(|name| constants.of_name(name).err());
    twice.chain(of_none).collect()
}

#[test]
fn the_table_the_program_and_the_contract_agree() {
    let constants = Constants::below(&root().join("crates"));
    let rows = table::rows(&fs::read_to_string(root().join("docs/LIMITS.md")).unwrap());
    let internal = internal::names();
    assert!(rows.len() > 100, "only {} rows were found", rows.len());
    let unnamed = unnamed(&constants, &rows, &internal).into_iter().map(|constant| {
        format!(
            "{constant} has neither a row in docs/LIMITS.md nor a reason in xtask/tests/limits/internal.rs"
        )
    });
    let mut wrong: Vec<_> = rows.iter().flat_map(|row| mistakes(row, &constants)).chain(unnamed).collect();
    wrong.extend(misplaced(&constants, &rows, &internal));
    wrong.extend(contract::mistakes(root(), &constants));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn another_number_a_name_of_none_and_a_new_constant_are_mistakes() {
    let constants = Constants::of_sources([
        (
            "crates/one/src/few.rs",
            "const MOST: usize = 4 * 1_024;\nconst WAIT: Duration = Duration::from_mins(2);",
        ),
        (
            "crates/one/src/many.rs",
            "impl Many { const MOST: u32 = 7; }\n#[cfg(test)]\nmod tests { const TEN: u8 = 10; }",
        ),
    ]);
    let row = |text: &str| {
        table::rows(&format!("| what | bound | set by | beyond it |\n|---|---|---|---|\n{text}\n")).remove(0)
    };
    let right = row("| the most | 4 KiB, for 120 s | `one::few::MOST`, `one::WAIT` | |");
    assert_eq!(mistakes(&right, &constants), Vec::<String>::new());
    for wrong in [
        "| the most | 4 KB | `one::few::MOST` | |",
        "| the most | 4,097 bytes | `one::few::MOST` | |",
        "| ambiguous | 4 KiB | `one::MOST` | |",
        "| of none | 3 | `one::LEAST` | |",
        "| unnamed | 3 | | |",
        "| compiled for tests only | 10 | `one::TEN` | |",
    ] {
        assert_eq!(mistakes(&row(wrong), &constants).len(), 1, "{wrong}");
    }
    assert_eq!(unnamed(&constants, &[right], &[]), ["one::many::Many::MOST"]);
}
