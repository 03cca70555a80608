//! The tests of this crate, in one program: each more would be linked with all that it needs.

mod attacks;
mod calls;
mod common;
mod measures;
