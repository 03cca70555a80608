//! Joins the packets of consecutive frames into one (RFC 6716 §3.2.5), with libopus's own repacketizer.
#![allow(unsafe_code, reason = "calls libopus")]

use crate::Error;
use core::ptr::NonNull;
use opus_wasm_sys as sys;

pub(crate) struct Repacketizer {
    state: NonNull<sys::OpusRepacketizer>,
}

// SAFETY: the state is owned by this value alone and libopus keeps no thread-bound data.
unsafe impl Send for Repacketizer {}

impl Repacketizer {
    pub(crate) fn new() -> Result<Self, Error> {
        // SAFETY: takes nothing; null when there is no memory.
        let state = unsafe { sys::opus_repacketizer_create() };
        NonNull::new(state).map(|state| Self { state }).ok_or(Error::NoMemory)
    }

    /// Joins `packets` into `out`; the caller has seen that their TOCs allow it.
    pub(crate) fn join<'a>(&mut self, packets: impl Iterator<Item = &'a [u8]>, out: &mut [u8]) -> Result<usize, Error> {
        let room = i32::try_from(out.len()).unwrap_or(i32::MAX);
        // SAFETY: the repacketizer keeps pointers into the packets, which live until `out` is written, and
        // is initialised again before they could be used once more.
        let code = unsafe {
            sys::opus_repacketizer_init(self.state.as_ptr());
            for packet in packets {
                let code = sys::opus_repacketizer_cat(self.state.as_ptr(), packet.as_ptr(), packet.len() as i32);
                if code != sys::OPUS_OK {
                    return Err(Error::from_code(code));
                }
            }
            sys::opus_repacketizer_out(self.state.as_ptr(), out.as_mut_ptr(), room)
        };
        usize::try_from(code).map_err(|_| Error::from_code(code))
    }
}

impl Drop for Repacketizer {
    fn drop(&mut self) {
        // SAFETY: made by opus_repacketizer_create, destroyed once.
        unsafe { sys::opus_repacketizer_destroy(self.state.as_ptr()) };
    }
}
