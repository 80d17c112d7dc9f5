//! Rows as tables: for programs whole, with tabs; for people within the width of their terminal.

use comfy_table::{ColumnConstraint, ContentArrangement, Row, Table, presets};
use serde_json::Value;

use super::display::{member, terminal_safe};

/// A column of a table: its heading, and the member that it shows, as a JSON pointer.
pub(super) type Column = (&'static str, &'static str);

/// Columns whose texts may be cut where the terminal is narrow. All others are whole: an id that is cut names nothing.
const CUTTABLE: [&str; 7] =
    ["/customerName", "/product", "/endpoint", "/to", "/subject", "/reply", "/reason"];
/// So much of such a text is always there.
const MIN_TEXT_WIDTH: usize = 16;
/// Of what others said, it is so much.
const MIN_QUOTE_WIDTH: usize = 40;
/// Columns that go to a second line of their row where one line is too narrow for all.
const SECOND_LINE: [&str; 8] =
    ["/orderId", "/subscriptionId", "/deliveryId", "/id", "/told", "/pendingReason", "/reply", "/reason"];
/// How far that line is moved in.
const INDENT: usize = 2;
/// Blanks between columns.
const COLUMN_GAP: u16 = 2;

/// A line of headings and one for each row, with tabs between their cells. Nothing is cut or filled up, and every column is
/// there, so that each has its number.
pub(super) fn tabbed(rows: &[Value], columns: &[Column]) -> String {
    let heads = columns.iter().map(|(heading, _)| (*heading).to_owned()).collect::<Vec<_>>().join("\t");
    let row = |row| columns.iter().map(|(_, pointer)| text(row, pointer)).collect::<Vec<_>>().join("\t");
    [heads].into_iter().chain(rows.iter().map(row)).collect::<Vec<_>>().join("\n")
}

/// A table within `width`: a line for each row, or a few where one is too narrow for what must be whole, or else a line for
/// each cell. A column that is empty in every row is left out.
pub(super) fn fitted(rows: &[Value], columns: &[Column], width: u16) -> String {
    let said = |column: &&Column| rows.iter().any(|row| !text(row, column.1).is_empty());
    let columns: Vec<Column> = columns.iter().filter(said).copied().collect();
    let (beneath, above): (Vec<Column>, Vec<Column>) =
        columns.iter().copied().partition(|(_, pointer)| SECOND_LINE.contains(pointer));
    let width = usize::from(width);
    if least(rows, &columns) <= width {
        aligned(rows, &columns, width).join("\n")
    } else if !above.is_empty() && least(rows, &above) <= width {
        let mut parts = vec![aligned(rows, &above, width)];
        let inner = width.saturating_sub(INDENT);
        for columns in packed(rows, beneath, inner) {
            let part = aligned(rows, &columns, inner);
            parts.push(part.iter().map(|line| format!("{:INDENT$}{line}", "")).collect());
        }
        let lines = (0..=rows.len()).flat_map(|row| parts.iter().map(move |part| part[row].as_str()));
        lines.filter(|line| !line.trim().is_empty()).collect::<Vec<_>>().join("\n")
    } else {
        rows.iter().map(|row| by_cell(row, &columns, width)).collect::<Vec<_>>().join("\n\n")
    }
}

/// The columns on as few lines as they fit on, in their order.
fn packed(rows: &[Value], columns: Vec<Column>, width: usize) -> Vec<Vec<Column>> {
    let mut lines: Vec<Vec<Column>> = Vec::new();
    for column in columns {
        let more = lines.last().map(|line| [line.as_slice(), &[column]].concat());
        match (lines.last_mut(), more) {
            (Some(line), Some(more)) if least(rows, &more) <= width => *line = more,
            _ => lines.push(vec![column]),
        }
    }
    lines
}

/// A cell on one line, harmless.
fn text(row: &Value, pointer: &str) -> String {
    terminal_safe(&member(row, pointer).replace(['\n', '\t'], " ")).into_owned()
}

/// The width that a table needs at least.
fn least(rows: &[Value], columns: &[Column]) -> usize {
    let widths = laid_out(rows, columns).column_max_content_widths();
    let least = |(width, (_, pointer)): (&u16, &Column)| {
        let width = usize::from(*width);
        match *pointer {
            "/reply" | "/reason" => width.min(MIN_QUOTE_WIDTH),
            pointer if CUTTABLE.contains(&pointer) => width.min(MIN_TEXT_WIDTH),
            _ => width,
        }
    };
    let gaps = usize::from(COLUMN_GAP) * columns.len().saturating_sub(1);
    widths.iter().zip(columns).map(least).sum::<usize>() + gaps
}

/// Every cell, one line a row.
fn laid_out(rows: &[Value], columns: &[Column]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let heads: Vec<_> = columns.iter().map(|(heading, _)| (*heading).to_owned()).collect();
    let cells = |row| columns.iter().map(|(_, pointer)| text(row, pointer)).collect();
    for cells in [heads].into_iter().chain(rows.iter().map(cells)) {
        let mut row = Row::from(cells);
        row.max_height(1);
        table.add_row(row);
    }
    for (place, (_, pointer)) in columns.iter().enumerate() {
        let is_last = place + 1 == columns.len();
        if let Some(column) = table.column_mut(place) {
            column.set_padding((0, if is_last { 0 } else { COLUMN_GAP }));
            if !CUTTABLE.contains(pointer) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
    }
    table
}

/// The lines of a table, the headings first, whose texts are cut to the width.
fn aligned(rows: &[Value], columns: &[Column], width: usize) -> Vec<String> {
    let mut table = laid_out(rows, columns);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    table.lines().map(|line| line.trim_end().to_owned()).collect()
}

/// A row with a line for each of its cells, its heading before it.
fn by_cell(row: &Value, columns: &[Column], width: usize) -> String {
    let label = columns.iter().map(|(heading, _)| heading.len() + usize::from(COLUMN_GAP)).max().unwrap_or(0);
    let line = |(heading, pointer): &Column| {
        let column = [("", *pointer)];
        let cell =
            aligned(std::slice::from_ref(row), &column, width.saturating_sub(label).max(MIN_TEXT_WIDTH));
        cell.last().filter(|cell| !cell.is_empty()).map(|cell| format!("{heading:<label$}{cell}"))
    };
    columns.iter().filter_map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{deliveries, inbox, orders, subscriptions};
    use super::*;

    const ID: &str = "01a22bef-8158-7f9b-b107-a48ca82a6d63";
    const TIME: &str = "2026-11-30T10:10:26.123456Z";

    /// Each list with its longest names and states, and texts that are far too long.
    fn every_list() -> Vec<(&'static str, Vec<Column>, Value)> {
        let long = "as much as fits and ".repeat(30);
        let told = "acknowledged, spam, 0 of 106 or more, 2 held, 1 dead, 103 cancelled";
        vec![
            (
                "orders",
                orders::COLUMNS.to_vec(),
                json!({"orderTime": TIME, "shortReference": "K7QM-2XNA", "orderId": ID, "customerName": long, "product": "漢字".repeat(60),
                       "price": "1199.90 EUR", "told": told}),
            ),
            (
                "an order's events",
                orders::show::EVENTS.to_vec(),
                json!({"at": TIME, "event": "order_acknowledged", "endpoint": long, "number": 50,
                       "outcome": "permanent", "reply": long, "reason": long}),
            ),
            (
                "deliveries",
                deliveries::COLUMNS.to_vec(),
                json!({"deliveryId": ID, "kind": "confirmation", "endpoint": long, "state": "in_flight",
                       "attemptsUsed": 50, "at": TIME}),
            ),
            (
                "subscriptions",
                subscriptions::COLUMNS.to_vec(),
                json!({"subscriptionId": ID, "protocol": "webhook", "endpoint": long, "state": "confirmed",
                       "pendingReason": "challenge_not_answered"}),
            ),
            ("messages", inbox::COLUMNS.to_vec(), json!({"at": TIME, "id": ID, "to": long, "subject": long})),
        ]
    }

    #[test]
    fn no_list_cuts_a_state_a_kind_an_id_or_a_time_at_any_width() {
        for (name, columns, row) in every_list() {
            for width in [20, 40, 60, 79, 80, 100, 132, 200] {
                let rows = [row.clone(), json!({"state": "dead"}), row.clone()];
                let told = fitted(&rows, &columns, width);
                for (heading, pointer) in columns.iter().filter(|(_, at)| !CUTTABLE.contains(at)) {
                    let whole = text(&row, pointer);
                    assert_eq!(told.matches(&whole).count(), 2, "{name} at {width}: {heading} in\n{told}");
                }
                if width >= 80 {
                    let short = |line: &str| comfy_width(line) <= usize::from(width);
                    assert!(told.lines().all(short), "{name} at {width}:\n{told}");
                }
            }
        }
    }

    /// How wide a terminal shows it.
    fn comfy_width(line: &str) -> usize {
        let mut table = Table::new();
        table.add_row(vec![line]);
        table.column_max_content_widths().first().copied().map_or(0, usize::from)
    }

    #[test]
    fn a_list_takes_few_lines_a_row_at_eighty_columns() {
        for (name, columns, row) in every_list() {
            let told = fitted(&[row.clone(), row], &columns, 80);
            // The headings and two rows.
            assert!(told.lines().count() <= 3 * 3, "{name}:\n{told}");
        }
    }

    #[test]
    fn a_column_that_nothing_stands_in_is_left_out_for_people_and_kept_for_programs() {
        let rows = [json!({"deliveryId": ID, "kind": "notification", "state": "pending"})];
        let told = fitted(&rows, &deliveries::COLUMNS, 80);
        assert!(!told.contains("Endpoint") && told.contains("State"), "{told}");
        assert_eq!(
            tabbed(&rows, &deliveries::COLUMNS),
            format!("Delivery\tKind\tEndpoint\tState\tAttempts\tAt\n{ID}\tnotification\t\tpending\t\t")
        );
    }

    #[test]
    fn what_a_program_reads_is_whole_and_not_filled_up() {
        let note = "a\tlong one\n".repeat(1_000);
        let rows = [json!({"customerName": "Ada", "product": note}), json!({"customerName": "\u{1b}[2J"})];
        let told = tabbed(&rows, &[("Customer", "/customerName"), ("Product", "/product")]);
        assert_eq!(told.lines().count(), 3);
        assert!(told.contains(&"a long one ".repeat(1_000)), "whole");
        assert!(told.ends_with("\n\\u001b[2J\t"), "{told:?}");
    }

    #[test]
    fn a_forged_line_break_makes_no_row() {
        let rows = [json!({"customerName": "Ada\nForged 1", "product": "Pad"})];
        let told = fitted(&rows, &[("Customer", "/customerName"), ("Product", "/product")], 80);
        assert_eq!(told.lines().count(), 2, "{told}");
    }
}
