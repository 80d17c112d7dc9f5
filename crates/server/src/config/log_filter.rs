//! The setting of what is logged.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// The parts of the program that write lines, as a filter names them. In the log each has the program's name before it.
const PARTS: [&str; 4] = ["application", "driver", "sqlite", "web"];
const PROGRAM: &str = "orderbell";

/// A filter, in which a part may be named without the program's name. A bare word that is no level would be taken for the
/// name of a part and silence all others; a part that there is not would change nothing.
pub(super) fn log_filter(text: &str) -> Result<EnvFilter, String> {
    let directives = text.split(',').map(|part| directive(part.trim())).collect::<Option<Vec<_>>>();
    let filter = directives.and_then(|directives| directives.join(",").parse().ok());
    filter.ok_or_else(|| {
        format!(
            "must be error, warn, info, debug, trace or off, or for a part of the program ({}) as in info,sqlite=debug",
            PARTS.join(", ")
        )
    })
}

/// One part of a filter, as the log's lines are named.
fn directive(part: &str) -> Option<String> {
    let is_level = |text: &str| !text.is_empty() && text.parse::<LevelFilter>().is_ok();
    if is_level(part) {
        return Some(part.to_owned());
    }
    let (target, rest) = part.split_at(part.find(['=', '['])?);
    let own = format!("{PROGRAM}_");
    let name = target.strip_prefix(&own).unwrap_or(target);
    let first = name.split("::").next().unwrap_or_default();
    match first {
        "" | PROGRAM => Some(part.to_owned()),
        part_of_it if PARTS.contains(&part_of_it) => Some(format!("{own}{name}{rest}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn what_would_silence_the_log_or_change_nothing_is_no_filter() {
        for filter in [
            "loud",
            "verbose",
            "inof",
            "orderbell",
            "info,loud",
            "sqlite=dbug",
            "",
            " ",
            "info,,",
            "info,sqlit=debug",
            "hyper=debug",
            "info,tower_http=trace",
            "warn,lambda=info",
            "info;sqlite=debug",
            "info sqlite=debug",
        ] {
            let said = log_filter(filter).unwrap_err();
            assert!(
                said.starts_with("must be error, warn, info") && said.contains("sqlite"),
                "{filter:?}: {said}"
            );
        }
    }

    #[test]
    fn a_part_is_named_with_the_programs_name_or_without() {
        for (filter, meant) in [
            ("info", "info"),
            ("WARN", "warn"),
            ("off", "off"),
            ("info,sqlite=debug", "orderbell_sqlite=debug,info"),
            ("info, orderbell_sqlite=debug", "orderbell_sqlite=debug,info"),
            ("warn,application::deliver=trace", "orderbell_application::deliver=trace,warn"),
            ("orderbell=trace", "orderbell=trace"),
            ("info,orderbell::workers=debug", "orderbell::workers=debug,info"),
            ("info,web[request]=debug", "info,orderbell_web[request]=debug"),
            ("info,[request]=debug", "info,[request]=debug"),
        ] {
            assert_eq!(log_filter(filter).unwrap().to_string(), meant, "{filter}");
        }
    }

    #[test]
    fn every_part_that_is_named_writes_lines_and_no_other_does() {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        for part in ["application", "channels", "domain", "driver", "sqlite", "web"] {
            let manifest = std::fs::read_to_string(crates.join(part).join("Cargo.toml")).unwrap();
            assert_eq!(manifest.contains("\ntracing"), PARTS.contains(&part), "{part}");
        }
    }
}
