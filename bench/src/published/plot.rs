//! A plot of bars: the median of each figure, the least and the most as a line over it, what is wanted as a mark.

use anyhow::Result;
use plotters::coord::ranged1d::SegmentValue;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::report::spread::Spread;
use crate::report::{Report, Row, Wanted, shown};

const WIDTH: u32 = 900;
/// Beside the bars: their names.
const NAMES: u32 = 400;
/// Below and above the bars: the axis, its description and the margin.
const AROUND: u32 = 80;
const BAR: u32 = 26;

const INK: RGBColor = RGBColor(0x24, 0x29, 0x2f);
const GRID: RGBColor = RGBColor(0xd0, 0xd7, 0xde);
const FILL: RGBColor = RGBColor(0x54, 0x8f, 0xd8);
const MARK: RGBColor = RGBColor(0xd9, 0x6b, 0x27);
/// What a dark page needs otherwise than a light one.
const STYLE: &str = "<style>@media (prefers-color-scheme: dark) { [fill=\"#24292F\"] { fill: #d0d7de } \
                     [stroke=\"#24292F\"] { stroke: #d0d7de } [stroke=\"#D0D7DE\"] { stroke: #3d444d } }</style>\n";

/// One bar.
struct Bar {
    name: String,
    /// The reference of a share.
    of: String,
    value: Spread,
    wanted: Option<f64>,
}

/// The SVG of an answer; none where it has nothing to compare.
///
/// # Errors
/// It cannot be drawn.
pub(super) fn draw(report: &Report) -> Result<Option<String>> {
    let (axis, bars) = bars(&report.rows);
    if bars.len() < 2 {
        return Ok(None);
    }
    let mut svg = String::new();
    draw_bars(&mut svg, &axis, &bars)?;
    let end = svg.find('>').map_or(0, |at| at + 1);
    svg.insert_str(end, &format!("\n{STYLE}"));
    Ok(Some(svg))
}

/// The figures that can stand on one axis, and what that says: shares of a reference where there are some, else what most
/// rows tell.
fn bars(rows: &[Row]) -> (String, Vec<Bar>) {
    let shares: Vec<_> = rows.iter().filter_map(share).collect();
    if shares.len() > 1 {
        let all_of = |of: &&str| shares.iter().all(|bar| bar.of == *of);
        let of = shares.first().map(|bar| bar.of.as_str()).filter(all_of).unwrap_or("reference");
        return (format!("share of the {of}"), shares);
    }
    let count = |unit: &str| rows.iter().filter(|row| row.unit == unit).count();
    let Some(unit) = rows.iter().map(|row| row.unit.as_str()).max_by_key(|unit| count(unit)) else {
        return (String::new(), Vec::new());
    };
    let of_it = rows.iter().filter(|row| row.unit == unit && row.value.median.is_finite());
    let wanted = |row: &Row| row.wanted.filter(|_| row.ratio.is_none()).map(amount);
    let bar =
        |row: &Row| Bar { name: row.name.clone(), of: String::new(), value: row.value, wanted: wanted(row) };
    (unit.to_owned(), of_it.map(bar).collect())
}

/// A row's share of its reference; nothing where less is better.
fn share(row: &Row) -> Option<Bar> {
    let ratio = row.ratio.as_ref().filter(|ratio| ratio.value.median.is_finite())?;
    let is_share = !matches!(row.wanted, Some(Wanted::AtMost(_)));
    is_share.then(|| Bar {
        name: row.name.clone(),
        of: ratio.of.clone(),
        value: ratio.value,
        wanted: row.wanted.map(amount),
    })
}

fn amount(wanted: Wanted) -> f64 {
    match wanted {
        Wanted::AtLeast(amount) | Wanted::AtMost(amount) => amount,
    }
}

fn draw_bars(svg: &mut String, axis: &str, bars: &[Bar]) -> Result<()> {
    let count = bars.len();
    let longest = bars.iter().map(|bar| bar.value.most.max(bar.wanted.unwrap_or_default()));
    let longest = longest.fold(f64::MIN_POSITIVE, f64::max) * 1.1;
    let size = (WIDTH, AROUND + BAR * u32::try_from(count)?);
    let area = SVGBackend::with_string(svg, size).into_drawing_area();
    let mut chart = ChartBuilder::on(&area)
        .margin(10)
        .x_label_area_size(50)
        .y_label_area_size(NAMES)
        .build_cartesian_2d(0.0..longest, (0..count - 1).into_segmented())?;
    // The first bar is at the top.
    let name = |at: &SegmentValue<usize>| match at {
        SegmentValue::CenterOf(place) => bars.get(count - 1 - *place).map_or("", |bar| &bar.name).to_owned(),
        _ => String::new(),
    };
    let label = ("sans-serif", 13).into_font().color(&INK);
    chart
        .configure_mesh()
        .disable_y_mesh()
        .x_desc(format!("{axis} – bar: median, line: least to most of the rounds, mark: wanted"))
        .axis_style(INK)
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .label_style(label.clone())
        .y_labels(count)
        .y_label_formatter(&name)
        .x_label_formatter(&|at| shown(*at))
        .draw()?;
    let beside = label.pos(Pos::new(HPos::Left, VPos::Center));
    for (place, bar) in bars.iter().rev().enumerate() {
        let Bar { value: Spread { median, least, most }, wanted, .. } = *bar;
        let middle = SegmentValue::CenterOf(place);
        let edges = (
            SegmentValue::Exact(place),
            if place + 1 == count { SegmentValue::Last } else { SegmentValue::Exact(place + 1) },
        );
        let mut body = Rectangle::new([(0.0, edges.0.clone()), (median, edges.1.clone())], FILL.filled());
        body.set_margin(4, 4, 0, 0);
        chart.draw_series([body])?;
        chart.draw_series([PathElement::new([(least, middle.clone()), (most, middle.clone())], INK)])?;
        let mark = wanted.map(|at| PathElement::new([(at, edges.0), (at, edges.1)], MARK.stroke_width(3)));
        chart.draw_series(mark)?;
        let at = (most.max(median) + longest / 100.0, middle);
        chart.draw_series([Text::new(shown(median), at, beside.clone())])?;
    }
    area.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_drawn_where_there_are_several() {
        let rows = [
            Row::new("bare", "/s", &[10.0]),
            Row::new("told", "/s", &[5.0]).over("bare client", &[5.0], &[10.0]).at_least(0.6),
            Row::new("more told", "/s", &[6.0]).over("bare client", &[6.0], &[10.0]),
            Row::new("p99", "ms", &[6.0]).over("alone", &[6.0], &[2.0]).at_most(2.0),
        ];
        let (axis, bars) = bars(&rows);
        assert_eq!(axis, "share of the bare client");
        let drawn: Vec<_> =
            bars.iter().map(|bar| (bar.name.as_str(), bar.value.median, bar.wanted)).collect();
        assert_eq!(drawn, [("told", 0.5, Some(0.6)), ("more told", 0.6, None)]);
    }

    #[test]
    fn else_what_most_rows_tell_is_drawn() {
        let rows = [
            Row::new("start", "ms", &[9.0]).at_most(20.0),
            Row::new("program", "MB", &[20.0]),
            Row::new("answer", "ms", &[2.0]),
            Row::new("never", "ms", &[]),
        ];
        let (axis, bars) = bars(&rows);
        assert_eq!((axis.as_str(), bars.len(), bars[0].wanted), ("ms", 2, Some(20.0)));
    }

    #[test]
    fn a_plot_names_its_bars_and_its_axis_and_follows_a_dark_page() {
        let bar = |name: &str| Bar {
            name: name.to_owned(),
            of: "bare client".to_owned(),
            value: Spread::of(&[0.4, 0.5]),
            wanted: Some(0.6),
        };
        let mut svg = String::new();
        draw_bars(&mut svg, "share of the bare client", &[bar("first"), bar("second")]).unwrap();
        for text in ["first", "second", "share of the bare client", "0.50"] {
            assert!(svg.contains(text), "{text} is not in {svg}");
        }
        // What the style recolours is there as it names it.
        for colour in ["fill=\"#24292F\"", "stroke=\"#24292F\"", "stroke=\"#D0D7DE\""] {
            assert!(svg.contains(colour) && STYLE.contains(colour), "{colour} is not in {svg}");
        }
    }
}
