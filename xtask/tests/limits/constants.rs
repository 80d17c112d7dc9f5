//! The constants of the program that may bound something, and what their expressions come to.

use std::fs;
use std::path::Path;

use syn::visit::{self, Visit};
use syn::{Attribute, Expr, ImplItemConst, Item, ItemConst, ItemImpl, Lit, Type};

use crate::numbers::{Number, ONE};

/// The types of constants that are numbers, durations, or made of these.
const KINDS: [&str; 18] = [
    "usize",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "i8",
    "i32",
    "i64",
    "f64",
    "Duration",
    "SignedDuration",
    "RangeInclusive",
    "NonZeroU8",
    "NonZeroU32",
    "OrderRate",
    "Concurrency",
    "Rules",
];

/// A constant.
pub(crate) struct Constant {
    /// Its crate, modules, type, if it is a type's, and name.
    path: Vec<String>,
    expression: Expr,
}

impl Constant {
    /// Its path, as Rust has it.
    pub(crate) fn place(&self) -> String {
        self.path.join("::")
    }

    /// Whether a name means it: crate and name are its own, what stands between them comes in its path in that order.
    fn is_meant_by(&self, name: &[&str]) -> bool {
        let [first, between @ .., last] = name else { return false };
        let [own_crate, inner @ .., own_name] = self.path.as_slice() else { return false };
        let mut inner = inner.iter();
        first == own_crate && last == own_name && between.iter().all(|part| inner.any(|own| own == part))
    }
}

/// All of them.
pub(crate) struct Constants(Vec<Constant>);

impl Constants {
    /// Those of the crates in a folder, but for the suites of the ports, which are no part of the program.
    pub(crate) fn below(crates: &Path) -> Self {
        let mut files = Vec::new();
        for entry in fs::read_dir(crates).unwrap() {
            let folder = entry.unwrap().path();
            if !folder.ends_with("conformance") {
                collect(&folder.join("src"), &mut files);
            }
        }
        files.sort();
        let sources: Vec<_> =
            files.iter().map(|file| (file.as_str(), fs::read_to_string(file).unwrap())).collect();
        Self::of_sources(sources.iter().map(|(file, text)| (*file, text.as_str())))
    }

    /// Those of sources by their paths.
    pub(crate) fn of_sources<'a>(sources: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut finder = Finder::default();
        for (path, text) in sources {
            let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}"));
            finder.path = modules_of(path);
            finder.visit_file(&file);
        }
        let Finder { mut found, for_tests, .. } = finder;
        found.retain(|constant| !for_tests.iter().any(|module| constant.path.starts_with(module)));
        Self(found)
    }

    pub(crate) fn all(&self) -> &[Constant] {
        &self.0
    }

    /// The one that a name means.
    ///
    /// # Errors
    /// It means none, or several.
    pub(crate) fn of_name(&self, name: &str) -> Result<&Constant, String> {
        let parts: Vec<_> = name.split("::").collect();
        let mut meant = self.0.iter().filter(|constant| constant.is_meant_by(&parts));
        match (meant.next(), meant.next()) {
            (Some(one), None) => Ok(one),
            (None, _) => Err(format!("`{name}` is no constant of a kind that bounds")),
            (Some(one), Some(other)) => Err(format!("`{name}` may be {} and {}", one.place(), other.place())),
        }
    }

    /// The numbers that a constant's expression comes to, in their order.
    ///
    /// # Errors
    /// There is something in it that is not understood.
    pub(crate) fn evaluate(&self, constant: &Constant) -> Result<Vec<Number>, String> {
        let values = self.values(&constant.expression, constant);
        values.map_err(|what| format!("{}: {what} is not understood here", constant.place()))
    }

    fn values(&self, expression: &Expr, of: &Constant) -> Result<Vec<Number>, String> {
        let all = |parts: Vec<&Expr>| -> Result<Vec<Number>, String> {
            let values: Result<Vec<_>, _> = parts.into_iter().map(|part| self.values(part, of)).collect();
            Ok(values?.concat())
        };
        match expression {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Int(number) => number
                    .base10_parse::<Number>()
                    .map(|number| vec![number * ONE])
                    .map_err(|error| error.to_string()),
                Lit::Str(_) => Ok(Vec::new()),
                _ => Err("a literal".to_owned()),
            },
            Expr::Paren(inner) => self.values(&inner.expr, of),
            Expr::Cast(inner) => self.values(&inner.expr, of),
            Expr::Range(range) => all(range.start.iter().chain(&range.end).map(AsRef::as_ref).collect()),
            Expr::Tuple(tuple) => all(tuple.elems.iter().collect()),
            Expr::Array(array) => all(array.elems.iter().collect()),
            Expr::Struct(of_fields) => all(of_fields.fields.iter().map(|field| &field.expr).collect()),
            Expr::Binary(_) | Expr::Call(_) | Expr::MethodCall(_) => {
                self.computed(expression, of).map(|one| vec![one])
            }
            Expr::Path(path) => self.named(&path.path, of),
            _ => Err("an expression".to_owned()),
        }
    }

    fn one(&self, expression: &Expr, of: &Constant) -> Result<Number, String> {
        match self.values(expression, of)?[..] {
            [one] => Ok(one),
            _ => Err("more than a number".to_owned()),
        }
    }

    fn computed(&self, expression: &Expr, of: &Constant) -> Result<Number, String> {
        match expression {
            Expr::Binary(operation) => {
                let (left, right) = (self.one(&operation.left, of)?, self.one(&operation.right, of)?);
                match operation.op {
                    syn::BinOp::Add(_) => Ok(left + right),
                    syn::BinOp::Sub(_) => Ok(left - right),
                    syn::BinOp::Mul(_) => Ok(left * right / ONE),
                    syn::BinOp::Shl(_) => Ok(left << (right / ONE)),
                    _ => Err("an operator".to_owned()),
                }
            }
            Expr::MethodCall(call) if call.method == "saturating_add" && call.args.len() == 1 => {
                Ok(self.one(&call.receiver, of)? + self.one(&call.args[0], of)?)
            }
            Expr::Call(call) if call.args.len() == 1 => {
                let Expr::Path(function) = &*call.func else { return Err("a call".to_owned()) };
                let function = function.path.segments.last().map(|last| last.ident.to_string());
                let argument = self.one(&call.args[0], of)?;
                match function.as_deref() {
                    Some("from_micros") => Ok(argument / 1_000_000),
                    Some("from_millis") => Ok(argument / 1_000),
                    Some("from_secs") => Ok(argument),
                    Some("from_mins") => Ok(argument * 60),
                    Some("from_hours") => Ok(argument * 3_600),
                    _ => Err("a function".to_owned()),
                }
            }
            _ => Err("a call".to_owned()),
        }
    }

    /// What a path stands for: a constant, or a word such as a variant of an enum, which is no number.
    fn named(&self, path: &syn::Path, of: &Constant) -> Result<Vec<Number>, String> {
        let segments: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        let last = segments.last().cloned().unwrap_or_default();
        if last.chars().any(char::is_lowercase) {
            return Ok(Vec::new());
        }
        if segments.iter().any(|segment| segment.starts_with("NonZero")) && last == "MIN" {
            return Ok(vec![ONE]);
        }
        let beside = |other: &&Constant| {
            other.path.last() == Some(&last)
                && other.path.split_last().map(|of| of.1) == of.path.split_last().map(|of| of.1)
        };
        let mut anywhere = self.0.iter().filter(|other| other.path.last() == Some(&last));
        match (self.0.iter().find(beside), anywhere.next(), anywhere.next()) {
            (Some(found), ..) | (None, Some(found), None) => self.evaluate(found),
            _ => Err(last),
        }
    }
}

fn collect(folder: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path.to_str().unwrap().to_owned());
        }
    }
}

/// The crate and the modules of a file, by its path.
fn modules_of(path: &str) -> Vec<String> {
    let (before, inner) = path.split_once("/src/").unwrap();
    let own_crate = before.rsplit('/').next().unwrap();
    let modules =
        inner.trim_end_matches(".rs").split('/').filter(|module| !matches!(*module, "lib" | "main" | "mod"));
    std::iter::once(own_crate).chain(modules).map(str::to_owned).collect()
}

#[derive(Default)]
struct Finder {
    /// Where it is.
    path: Vec<String>,
    found: Vec<Constant>,
    /// The modules that are compiled for tests only, wherever their files are.
    for_tests: Vec<Vec<String>>,
}

impl Finder {
    fn below(&self, name: &syn::Ident) -> Vec<String> {
        self.path.iter().cloned().chain([name.to_string()]).collect()
    }

    fn take(&mut self, name: &syn::Ident, kind: &Type, expression: &Expr) {
        if is_of_a_kind(kind) {
            self.found.push(Constant { path: self.below(name), expression: expression.clone() });
        }
    }
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Const(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Mod(item) => &item.attrs,
            _ => return visit::visit_item(self, item),
        };
        match item {
            _ if !attributes.iter().any(is_for_tests) => visit::visit_item(self, item),
            Item::Mod(module) => self.for_tests.push(self.below(&module.ident)),
            _ => {}
        }
    }

    fn visit_item_const(&mut self, constant: &'ast ItemConst) {
        self.take(&constant.ident, &constant.ty, &constant.expr);
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        let of_type = match &*item.self_ty {
            Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
            _ => None,
        };
        let depth = self.path.len();
        self.path.extend(of_type);
        visit::visit_item_impl(self, item);
        self.path.truncate(depth);
    }

    fn visit_impl_item_const(&mut self, constant: &'ast ImplItemConst) {
        self.take(&constant.ident, &constant.ty, &constant.expr);
    }
}

/// Whether a type is a number, a duration, or a row of these.
fn is_of_a_kind(kind: &Type) -> bool {
    match kind {
        Type::Path(path) => {
            let last = path.path.segments.last().map(|last| last.ident.to_string());
            last.is_some_and(|last| KINDS.contains(&last.as_str()))
        }
        Type::Array(array) => is_of_a_kind(&array.elem),
        _ => false,
    }
}

fn is_for_tests(attribute: &Attribute) -> bool {
    let list = attribute.meta.require_list();
    list.is_ok_and(|list| list.path.is_ident("cfg") && list.tokens.to_string() == "test")
}
