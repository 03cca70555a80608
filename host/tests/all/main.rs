//! The tests of this crate, in one program: each more would be linked with all that it needs.
//! Beside it stand those that measure or set up their whole process.

mod first_call;
mod pool;
mod pool_blocking;
mod pool_callers;
mod pool_faults;
mod pool_jobs;
mod pool_quota;
mod pool_swap;
mod support;
