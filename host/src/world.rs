//! What a component exports and imports, with types, as text; and how two components differ in that.

use std::collections::BTreeMap;
use std::fmt;
use wasmtime::Engine;
use wasmtime::component::types::{Component, ComponentItem, Type};

/// A component's world: names with their types, `interface#function` where it is in an interface.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct World {
    exports: BTreeMap<String, String>,
    imports: BTreeMap<String, String>,
}

/// How a component differs from the one it should take the place of. Shows as a list, one line each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// Exports that are no longer there, with their types.
    pub missing: Vec<String>,
    /// Exports that were not there before. These harm nobody.
    pub new: Vec<String>,
    /// Exports of another type: name, type before, type now.
    pub changed: Vec<(String, String, String)>,
    /// What it asks its host for: a Sidetone component asks for nothing.
    pub imports: Vec<String>,
}

impl Difference {
    /// Whether the component can take the other's place.
    #[must_use]
    pub fn is_compatible(&self) -> bool {
        self.missing.is_empty() && self.changed.is_empty() && self.imports.is_empty()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.is_compatible() && self.new.is_empty()
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lists = [("missing", &self.missing), ("imports", &self.imports), ("new", &self.new)];
        let plain = lists.into_iter().flat_map(|(word, names)| names.iter().map(move |name| format!("{word}: {name}")));
        let changed = self.changed.iter().map(|(name, before, now)| format!("changed: {name}: {before} -> {now}"));
        f.write_str(&plain.chain(changed).collect::<Vec<_>>().join("\n"))
    }
}

impl World {
    pub(crate) fn of(component: &Component, engine: &Engine) -> Self {
        let mut world = Self::default();
        for (name, item) in component.exports(engine) {
            describe(engine, name, &item.ty, &mut world.exports);
        }
        for (name, item) in component.imports(engine) {
            describe(engine, name, &item.ty, &mut world.imports);
        }
        world
    }

    /// What is different in `other`.
    pub(crate) fn difference(&self, other: &Self) -> Difference {
        let only = |these: &BTreeMap<String, String>, those: &BTreeMap<String, String>| -> Vec<String> {
            let only = these.iter().filter(|(name, _)| !those.contains_key(*name));
            only.map(|(name, what)| format!("{name}: {what}")).collect()
        };
        let both = self.exports.iter().filter_map(|(name, before)| Some((name, before, other.exports.get(name)?)));
        let changed = both.filter(|(_, before, now)| before != now);
        Difference {
            missing: only(&self.exports, &other.exports),
            new: only(&other.exports, &self.exports),
            changed: changed.map(|(name, before, now)| (name.clone(), before.clone(), now.clone())).collect(),
            imports: only(&other.imports, &self.imports),
        }
    }
}

fn describe(engine: &Engine, name: &str, item: &ComponentItem, into: &mut BTreeMap<String, String>) {
    let what = match item {
        ComponentItem::ComponentInstance(instance) => {
            into.insert(name.to_owned(), "interface".to_owned());
            for (inner, item) in instance.exports(engine) {
                describe(engine, &format!("{name}#{inner}"), &item.ty, into);
            }
            return;
        }
        ComponentItem::ComponentFunc(function) => {
            let params = function.params().map(|(name, ty)| format!("{name}: {}", shown(&ty)));
            let results: Vec<_> = function.results().map(|ty| shown(&ty)).collect();
            let arrow = if results.is_empty() { "" } else { " -> " };
            format!("func({}){arrow}{}", params.collect::<Vec<_>>().join(", "), results.join(", "))
        }
        ComponentItem::Type(ty) => format!("type {}", shown(ty)),
        ComponentItem::Resource(_) => "resource".to_owned(),
        ComponentItem::CoreFunc(_) => "core function".to_owned(),
        ComponentItem::Module(_) => "module".to_owned(),
        ComponentItem::Component(_) => "component".to_owned(),
    };
    into.insert(name.to_owned(), what);
}

/// A type in WIT's manner, its structure written out: what a function takes and returns is compared by structure.
fn shown(ty: &Type) -> String {
    let list = |parts: Vec<String>| parts.join(", ");
    let case =
        |name: &str, ty: Option<Type>| ty.map_or_else(|| name.to_owned(), |ty| format!("{name}({})", shown(&ty)));
    match ty {
        Type::List(ty) => format!("list<{}>", shown(&ty.ty())),
        Type::Option(ty) => format!("option<{}>", shown(&ty.ty())),
        Type::Tuple(ty) => format!("tuple<{}>", list(ty.types().map(|ty| shown(&ty)).collect())),
        Type::Result(ty) => {
            let side = |ty: Option<Type>| ty.map_or_else(|| "_".to_owned(), |ty| shown(&ty));
            format!("result<{}, {}>", side(ty.ok()), side(ty.err()))
        }
        Type::Record(ty) => {
            let fields = ty.fields().map(|field| format!("{}: {}", field.name, shown(&field.ty)));
            format!("record {{ {} }}", list(fields.collect()))
        }
        Type::Variant(ty) => {
            format!("variant {{ {} }}", list(ty.cases().map(|one| case(one.name, one.ty)).collect()))
        }
        Type::Enum(ty) => format!("enum {{ {} }}", list(ty.names().map(str::to_owned).collect())),
        Type::Flags(ty) => format!("flags {{ {} }}", list(ty.names().map(str::to_owned).collect())),
        Type::Own(_) => "own<resource>".to_owned(),
        Type::Borrow(_) => "borrow<resource>".to_owned(),
        plain => format!("{plain:?}").to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world(exports: &[(&str, &str)], imports: &[(&str, &str)]) -> World {
        let map = |names: &[(&str, &str)]| names.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        World { exports: map(exports), imports: map(imports) }
    }

    #[test]
    fn a_difference_says_what_is_missing_new_and_changed() {
        let before = world(&[("codec", "interface"), ("codec#encode", "func()"), ("codec#reset", "func()")], &[]);
        let now = world(
            &[("codec", "interface"), ("codec#encode", "func(x: u8)"), ("codec#tune", "func()")],
            &[("wasi:clocks", "interface")],
        );
        let difference = before.difference(&now);
        assert_eq!(
            difference.to_string(),
            "missing: codec#reset: func()\nimports: wasi:clocks: interface\nnew: codec#tune: func()\n\
             changed: codec#encode: func() -> func(x: u8)"
        );
        assert!(!difference.is_compatible() && before.difference(&before).is_none());
        let more =
            world(&[("codec", "interface"), ("codec#encode", "func()"), ("codec#reset", "func()"), ("x", "y")], &[]);
        assert!(before.difference(&more).is_compatible() && !before.difference(&more).is_none());
    }
}
