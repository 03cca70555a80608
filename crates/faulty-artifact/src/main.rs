//! `sidetone-faulty-artifact FILE` writes the component that fails on purpose to a file, for tests outside of Rust.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(file), None) = (arguments.next(), arguments.next()) else {
        eprintln!("sidetone-faulty-artifact: name one file to write the component to");
        return 2.into();
    };
    match std::fs::write(&file, sidetone_faulty_artifact::COMPONENT) {
        Ok(()) => 0.into(),
        Err(error) => {
            eprintln!("sidetone-faulty-artifact: cannot write {}: {error}", file.display());
            1.into()
        }
    }
}
