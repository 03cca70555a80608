//! What tests stand on: [data from outside the repository](corpus), and [processes of their own](apart) with little disk
//! or few open files.
//!
//! What is not there is said, and the test has nothing to check. Depends on nothing, so that every crate can use it.

#![forbid(unsafe_code)]

pub mod apart;
pub mod corpus;
