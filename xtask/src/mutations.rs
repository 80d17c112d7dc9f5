//! `cargo xtask mutations`: breaks a copy of the program in known ways; each must be caught.
//!
//! All of them lie in one copy, which is built once. Each has a switch, and which one shows is chosen when it runs.

mod catcher;
mod patch;
mod sources;

use std::path::Path;
use std::time::Instant;

use anyhow::{Result, bail, ensure};

use crate::cargo::built;
use catcher::{Catcher, Copy};
use patch::Mutation;

/// In how many runs the simulation must catch a mutation: the rarest one shows in a few of these.
pub(crate) const SEEDS: u64 = 5_000;

/// What is to be tried.
pub(crate) struct Wanted {
    /// These alone, by their names; all, if there is none.
    pub(crate) only: Vec<String>,
    /// The simulation's runs.
    pub(crate) seeds: u64,
    /// Those that are caught rarely are left out.
    pub(crate) quick: bool,
}

/// Builds the copy, sees that it behaves while no mutation shows, and shows one after the other.
///
/// # Errors
/// A patch does not apply or compile any more; what should catch something finds fault with an unbroken program; or a
/// mutation is not caught.
pub(crate) fn run(root: &Path, wanted: &Wanted) -> Result<()> {
    let mutations = patch::read_all(&root.join("simulation/mutations"))?;
    let chosen = choose(&mutations, wanted)?;
    let folder = built("mutations")?;
    let copy = Copy { sources: folder.join("sources"), seeds: wanted.seeds };
    sources::prepare(root, &mutations, &folder.join("patched"), &copy.sources)?;
    for catcher in catchers(&chosen) {
        let start = Instant::now();
        copy.build(catcher)?;
        copy.passes(catcher)?;
        eprintln!(
            "{:>8.1} s  nothing is found while no mutation shows: {catcher}",
            start.elapsed().as_secs_f64()
        );
    }
    let mut survivors = Vec::new();
    for mutation in &chosen {
        let start = Instant::now();
        let caught = copy.catches(&mutation.catcher, &mutation.name)?;
        let verdict = caught.as_ref().map_or("SURVIVED".to_owned(), |by| format!("caught by {by}"));
        let (name, what) = (&mutation.name, &mutation.what);
        eprintln!("{:>8.1} s  {name}: {what}: {verdict}", start.elapsed().as_secs_f64());
        survivors.extend(caught.is_none().then_some(name.as_str()));
    }
    ensure!(survivors.is_empty(), "not caught: {}", survivors.join(", "));
    eprintln!("{} mutations, each caught", chosen.len());
    Ok(())
}

fn choose<'a>(mutations: &'a [Mutation], wanted: &Wanted) -> Result<Vec<&'a Mutation>> {
    if let Some(unknown) = wanted.only.iter().find(|name| mutations.iter().all(|known| known.name != **name))
    {
        let names: Vec<_> = mutations.iter().map(|known| known.name.as_str()).collect();
        bail!("there is no mutation {unknown}; there are {}", names.join(", "));
    }
    let is_wanted = |mutation: &&Mutation| {
        (wanted.only.is_empty() || wanted.only.contains(&mutation.name)) && !(wanted.quick && mutation.rare)
    };
    let chosen: Vec<_> = mutations.iter().filter(is_wanted).collect();
    ensure!(!chosen.is_empty(), "there are no mutations");
    Ok(chosen)
}

/// What catches these, each once.
fn catchers<'a>(mutations: &[&'a Mutation]) -> Vec<&'a Catcher> {
    let mut catchers = Vec::new();
    for mutation in mutations {
        if !catchers.contains(&&mutation.catcher) {
            catchers.push(&mutation.catcher);
        }
    }
    catchers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mutation(name: &str, catcher: Catcher, rare: bool) -> Mutation {
        Mutation { name: name.to_owned(), catcher, rare, ..Mutation::default() }
    }

    #[test]
    fn some_are_chosen_by_name_and_the_rare_ones_are_left_out_in_a_hurry() {
        let tests = Catcher::Tests(vec!["--test".to_owned()]);
        let all = [
            mutation("a", Catcher::Simulation, false),
            mutation("b", Catcher::Simulation, true),
            mutation("c", tests.clone(), false),
        ];
        let chosen = |only: &[&str], quick| {
            let only = only.iter().map(|name| (*name).to_owned()).collect();
            choose(&all, &Wanted { only, seeds: 1, quick })
        };
        let names = |chosen: Vec<&Mutation>| chosen.iter().map(|one| one.name.clone()).collect::<String>();
        assert_eq!(names(chosen(&[], false).unwrap()), "abc");
        assert_eq!(names(chosen(&[], true).unwrap()), "ac");
        assert_eq!(names(chosen(&["c", "b"], false).unwrap()), "bc");
        assert!(chosen(&["d"], false).err().unwrap().to_string().starts_with("there is no mutation d"));
        assert_eq!(catchers(&all.iter().collect::<Vec<_>>()), [&Catcher::Simulation, &tests]);
    }
}
