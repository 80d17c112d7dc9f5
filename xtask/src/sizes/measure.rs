//! How long one file and its functions are.

use anyhow::Result;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Block, ImplItemFn, Item, ItemFn, ItemMod, Signature, TraitItemFn};

/// The lengths found in one file, in lines.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Measured {
    /// The file's, without what is compiled for tests only.
    pub(super) lines: usize,
    /// Its functions'.
    pub(super) functions: Vec<Function>,
    /// The modules in other files that it declares for tests only.
    pub(super) test_modules: Vec<String>,
}

/// A function's length, from its signature to its closing brace.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) lines: usize,
}

/// Measures a file's text.
///
/// # Errors
/// It is not Rust.
pub(super) fn measure(text: &str) -> Result<Measured> {
    let file = syn::parse_file(text)?;
    let mut measured = Measured { lines: text.lines().count(), ..Measured::default() };
    if is_for_tests(&file.attrs) {
        return Ok(Measured::default());
    }
    measured.visit_file(&file);
    Ok(measured)
}

impl Measured {
    fn add(&mut self, signature: &Signature, block: &Block) {
        let line = signature.span().start().line;
        let lines = block.span().end().line + 1 - line;
        self.functions.push(Function { name: signature.ident.to_string(), line, lines });
    }

    fn leave_out(&mut self, item: &Item) {
        let lines = item.span().end().line + 1 - item.span().start().line;
        self.lines = self.lines.saturating_sub(lines);
        if let Item::Mod(ItemMod { ident, content: None, .. }) = item {
            self.test_modules.push(ident.to_string());
        }
    }
}

impl<'ast> Visit<'ast> for Measured {
    fn visit_item(&mut self, item: &'ast Item) {
        if is_for_tests(attributes(item)) {
            self.leave_out(item);
        } else {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.add(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        self.add(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        if let Some(block) = &function.default {
            self.add(&function.sig, block);
        }
        visit::visit_trait_item_fn(self, function);
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let list = attribute.meta.require_list();
        list.is_ok_and(|list| list.path.is_ident("cfg") && list.tokens.to_string() == "test")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_measured_from_its_signature_to_its_brace() {
        let text = "/// What it does.\n#[must_use]\nfn one() {\n    // why\n    two();\n}\n";
        let function = Function { name: "one".to_owned(), line: 3, lines: 4 };
        assert_eq!(measure(text).unwrap().functions, [function]);
    }

    #[test]
    fn methods_and_functions_within_functions_are_measured_too() {
        let text = "struct A;\nimpl A {\n    fn b() {\n        fn c() {}\n    }\n}\ntrait D {\n    fn e() {}\n    fn f();\n}\n";
        let names: Vec<_> =
            measure(text).unwrap().functions.into_iter().map(|function| function.name).collect();
        assert_eq!(names, ["b", "c", "e"]);
    }

    #[test]
    fn what_is_compiled_for_tests_only_is_left_out() {
        let text = "fn one() {}\n#[cfg(test)]\nmod tests {\n    fn two() {}\n}\n#[cfg(test)]\nmod more;\n";
        let measured = measure(text).unwrap();
        assert_eq!(measured.lines, 1);
        assert_eq!(measured.functions.len(), 1);
        assert_eq!(measured.test_modules, ["more"]);
    }

    #[test]
    fn what_is_not_rust_is_an_error() {
        assert!(measure("fn (").is_err());
    }
}
