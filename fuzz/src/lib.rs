//! What the fuzz targets share: how an input is read as a sequence of operations.
//!
//! Streams have state, so an input is not one packet but several: after the bytes a target takes for its set-up come
//! records of `op: u8, length: u16 BE, length bytes`. A record that is cut short has the bytes there are. Every input is
//! therefore valid, and a mutation inside one record leaves the others as they were.

/// One operation.
#[derive(Debug, Clone, Copy)]
pub struct Record<'i> {
    /// Which operation; each target says what its values mean.
    pub op: u8,
    /// What it works on.
    pub bytes: &'i [u8],
}

/// The most operations taken from one input, to bound the time it takes.
pub const MAX_RECORDS: usize = 64;

/// Reads records up to the end of `input`.
pub fn records(mut input: &[u8]) -> impl Iterator<Item = Record<'_>> {
    std::iter::from_fn(move || {
        let (&[op, high, low], rest) = input.split_first_chunk()?;
        let length = usize::from(u16::from_be_bytes([high, low])).min(rest.len());
        let (bytes, rest) = rest.split_at(length);
        input = rest;
        Some(Record { op, bytes })
    })
    .take(MAX_RECORDS)
}
