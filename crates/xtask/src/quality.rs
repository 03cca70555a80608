//! How speech sounds that the component has encoded, by PESQ-WB.

use crate::folder::fresh;
use crate::setup::{self, Need};
use crate::sh::{Cmd, root, target_dir};
use crate::{python, run};
use anyhow::Result;

/// What listens, and what it needs; pinned, for figures are compared.
const LISTENER: [&str; 2] = ["pesq==0.0.4", "numpy>=2,<3"];

/// Listen to speech encoded by the component and by native libopus in its two ways, at 16, 24 and 32 kbit/s.
///
/// Prints PESQ-WB (ITU-T P.862.2), the mean of all voices, and fails where the component is below the better native way by
/// more than the tolerance. A development tool: it makes a Python environment of its own in target/quality and installs
/// `pesq` and `numpy` there from PyPI (`pesq` is compiled: it needs a C compiler and Python's headers). The speech is the
/// project's clip, and the recordings of the corpus where there is one (../shared/corpus, or SIDETONE_CORPUS), each from four
/// beginnings.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// How much lower than the better native way is as good.
    #[arg(long, default_value_t = 0.02)]
    tolerance: f64,
}

pub(crate) fn main(args: &Args) -> Result<()> {
    setup::ensure(&[Need::Build, Need::Python])?;
    let folder = target_dir().join("quality");
    let heard = folder.join("heard");
    fresh(&heard)?;
    let needs = "PyPI, or a mirror of it, a C compiler and Python's headers (python3-dev)";
    let python = python::with(&LISTENER, &folder.join("venv"), needs)?;
    run::built("heard")?.arg(&heard).run()?;
    let listener = root().join("tests/listen.py");
    Cmd::new(&python).arg(listener).arg(&heard).arg(args.tolerance.to_string()).run()
}
