//! Option values, as the command line takes them.

pub(crate) use sidetone_transcode::values::*;

use clap::builder::{PossibleValuesParser, TypedValueParser};

/// One of the names.
pub(crate) fn one_of<T: Copy + Send + Sync + PartialEq + 'static>(names: Names<T>) -> impl TypedValueParser<Value = T> {
    let possible = PossibleValuesParser::new(names.iter().map(|&(name, _)| name));
    possible.try_map(move |text| named(names, &text).ok_or("unknown"))
}
