//! What the adapters for AWS call, as their code says.

use std::collections::BTreeSet;

use syn::visit::{self, Visit};
use syn::{Attribute, Expr, ExprCall, ExprMethodCall, ItemMod, ItemTrait, Member, TraitItem};

use crate::sources;

/// The calls to AWS, by the SDK's names: what the code calls on a client.
pub(crate) fn made() -> BTreeSet<String> {
    seen().calls
}

/// The kinds of action that transactions are made of.
pub(crate) fn transaction_actions() -> BTreeSet<String> {
    seen()
        .builders
        .into_iter()
        .filter(|name| ["Put", "Update", "Delete", "ConditionCheck"].contains(&&**name))
        .collect()
}

/// The methods of a port, as `Port::method`.
pub(crate) fn methods_of(port: &str) -> BTreeSet<String> {
    let mut methods = Methods { port, found: BTreeSet::new() };
    for source in sources("crates/application/src/ports") {
        methods.visit_file(&syn::parse_file(&source).unwrap());
    }
    methods.found
}

fn seen() -> Seen {
    let mut seen = Seen::default();
    for source in sources("crates/aws/src") {
        seen.visit_file(&syn::parse_file(&source).unwrap());
    }
    seen
}

#[derive(Default)]
struct Seen {
    calls: BTreeSet<String>,
    builders: BTreeSet<String>,
}

impl<'ast> Visit<'ast> for Seen {
    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        if !module.attrs.iter().any(is_for_tests) {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        if is_client(&call.receiver) {
            self.calls.insert(call.method.to_string());
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        if let Expr::Path(function) = &*call.func {
            let names: Vec<_> =
                function.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            if let [.., owner, builder] = names.as_slice()
                && builder == "builder"
            {
                self.builders.insert(owner.clone());
            }
        }
        visit::visit_expr_call(self, call);
    }
}

fn is_for_tests(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Ident>().is_ok_and(|name| name == "test")
}

fn is_client(receiver: &Expr) -> bool {
    match receiver {
        Expr::Field(field) => matches!(&field.member, Member::Named(name) if name == "client"),
        Expr::Path(path) => path.path.is_ident("client"),
        Expr::Reference(reference) => is_client(&reference.expr),
        _ => false,
    }
}

struct Methods<'a> {
    port: &'a str,
    found: BTreeSet<String>,
}

impl<'ast> Visit<'ast> for Methods<'_> {
    fn visit_item_trait(&mut self, item: &'ast ItemTrait) {
        if item.ident == self.port {
            let methods = item.items.iter().filter_map(|item| match item {
                TraitItem::Fn(method) => Some(format!("{}::{}", self.port, method.sig.ident)),
                _ => None,
            });
            self.found.extend(methods);
        }
    }
}
