//! Where the jobs of a batch are, as the batch sees it.

use crate::{Event, Problem};
use std::time::Duration;

/// A queue that jobs were handed to.
pub trait Queue {
    /// The next word of one of them; `None` where there is none within `wait`.
    ///
    /// # Errors
    /// Nothing more will be heard: why.
    fn next(&mut self, wait: Duration) -> Result<Option<Event>, Problem>;

    /// Takes back what nobody has begun. The batch is over.
    fn withdraw(&mut self);
}
