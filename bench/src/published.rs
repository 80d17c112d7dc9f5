//! The answers that are kept: their tables in the page about them, and a plot of each.

mod plot;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;

use crate::report::Report;

/// Where they lie.
#[derive(Args)]
pub(crate) struct Place {
    /// The folder of the answers, a JSON file each; the plots go there, too
    #[arg(long, default_value = "docs/benchmarks")]
    folder: PathBuf,
    /// The page that shows them
    #[arg(long, default_value = "docs/BENCHMARKS.md")]
    page: PathBuf,
}

/// Draws each answer of the folder, and writes its table where the page has a place for it.
///
/// # Errors
/// A file is not an answer, cannot be drawn or written, or the page has no place for it.
pub(crate) fn publish(place: &Place) -> Result<()> {
    let mut page = fs::read_to_string(&place.page).with_context(|| place.page.display().to_string())?;
    for report in kept(&place.folder)? {
        let plot = place.folder.join(&report.question).with_extension("svg");
        let drawn = plot::draw(&report).with_context(|| format!("drawing {}", report.question))?;
        let shows = drawn.is_some();
        if let Some(svg) = drawn {
            fs::write(&plot, svg)?;
        }
        let section = section(&report, shows.then_some(plot.as_path()));
        page = with_section(&page, &report.question, &section)
            .with_context(|| format!("{} has no place for {}", place.page.display(), report.question))?;
    }
    Ok(fs::write(&place.page, page)?)
}

/// The answers of a folder, by their questions' names.
fn kept(folder: &Path) -> Result<Vec<Report>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut files: Vec<_> = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let read = |path: &PathBuf| -> Result<Report> {
        serde_json::from_str(&fs::read_to_string(path)?).with_context(|| path.display().to_string())
    };
    files.iter().map(read).collect()
}

/// What the page says of an answer.
fn section(report: &Report, plot: Option<&Path>) -> String {
    let Report { what, command, date, machine, build, notes, .. } = report;
    let day = date.split('T').next().unwrap_or_default();
    let picture = plot.and_then(Path::file_name).map(|name| {
        let name = name.to_string_lossy();
        format!("![{what}](benchmarks/{name})\n\n")
    });
    let mut text = format!(
        "{picture}{table}\n\n`{command}`, {day}: {what}.\n{machine}; {build}.\n",
        picture = picture.unwrap_or_default(),
        table = report.table(),
    );
    for note in notes {
        text.push_str(note);
        text.push('\n');
    }
    text
}

/// The page with this text in the place of a question; nothing where it has no such place.
fn with_section(page: &str, question: &str, text: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- {question} -->\n"), format!("<!-- /{question} -->"));
    let (before, rest) = page.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}\n{text}\n{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "Before\n<!-- drain -->\nold\n<!-- /drain -->\nAfter <!-- size -->\n";

    #[test]
    fn a_table_takes_the_place_of_the_one_before_and_nothing_else_changes() {
        let new = with_section(PAGE, "drain", "new").unwrap();
        assert_eq!(new, "Before\n<!-- drain -->\n\nnew\n<!-- /drain -->\nAfter <!-- size -->\n");
        assert_eq!(with_section(&new, "drain", "new").unwrap(), new);
    }

    #[test]
    fn a_page_without_a_place_is_left_alone() {
        assert_eq!(with_section(PAGE, "size", "new"), None);
        assert_eq!(with_section(PAGE, "reads", "new"), None);
    }
}
