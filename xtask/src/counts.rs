//! What the closing lines of test runners say.

/// Tests, as their runner counted them.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) ignored: u64,
}

impl Counts {
    /// Adds what a closing line says; other lines change nothing. There are two:
    ///
    /// - `test result: ok. 3 passed; 0 failed; 1 ignored; …`, one for each program that `cargo test` runs;
    /// - `Summary [ 1.2s] 9 tests run: 5 passed (1 slow), 3 failed, 1 timed out, 2 skipped` of cargo-nextest.
    pub(crate) fn add(&mut self, line: &str) {
        let of_cargo = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". "));
        let of_nextest =
            line.trim_start().strip_prefix("Summary [").and_then(|rest| rest.split_once(" run: "));
        let Some((_, numbers)) = of_cargo.or(of_nextest) else { return };
        for part in without_remarks(numbers).split([',', ';']) {
            let Some((number, what)) = part.trim().split_once(' ') else { continue };
            let number = number.parse().unwrap_or(0);
            match what.trim() {
                "passed" => self.passed += number,
                "failed" | "exec failed" | "timed out" => self.failed += number,
                "ignored" | "skipped" => self.ignored += number,
                _ => {}
            }
        }
    }
}

/// The line without what stands in parentheses.
fn without_remarks(line: &str) -> String {
    let parts = line.split('(').enumerate();
    let outside = parts
        .map(|(number, part)| if number == 0 { part } else { part.split_once(')').unwrap_or_default().1 });
    outside.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(lines: &[&str]) -> Counts {
        let mut counts = Counts::default();
        for line in lines {
            counts.add(line);
        }
        counts
    }

    #[test]
    fn the_counts_of_several_test_programs_add_up() {
        let counts = counted(&[
            "running 4 tests",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "test result: FAILED. 2 passed; 5 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1s",
        ]);
        assert_eq!(counts, Counts { passed: 5, failed: 5, ignored: 1 });
    }

    #[test]
    fn whatever_did_not_pass_under_nextest_has_failed() {
        let line = "     Summary [  61.020s] 20 tests run: 10 passed (2 slow, 1 leaky), 7 failed (1 due to being leaky), \
                    2 exec failed, 1 timed out, 4 skipped";
        assert_eq!(counted(&[line]), Counts { passed: 10, failed: 10, ignored: 4 });
        let one = "     Summary [   0.020s] 1 test run: 1 passed, 0 skipped";
        assert_eq!(counted(&[one]), Counts { passed: 1, failed: 0, ignored: 0 });
        let cut_short = "     Summary [   0.020s] 2/9 tests run: 1 passed, 1 failed, 0 skipped";
        assert_eq!(counted(&[cut_short]), Counts { passed: 1, failed: 1, ignored: 0 });
    }

    #[test]
    fn what_a_test_says_is_not_counted() {
        let said = ["4 passed, 3 failed", "the summary: 3 passed", "Summary: 9 tests run: 9 passed"];
        assert_eq!(counted(&said), Counts::default());
    }
}
