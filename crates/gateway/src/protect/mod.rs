//! What keeps strangers out of calls. Sans-IO: time comes in as an argument.

mod bucket;
mod gate;
mod places;
mod return_address;
mod seldom;

pub(crate) use bucket::Bucket;
pub(crate) use gate::{Admission, Gate};
pub(crate) use places::{Place, Places};
pub(crate) use return_address::ReturnAddress;
pub(crate) use seldom::Seldom;
