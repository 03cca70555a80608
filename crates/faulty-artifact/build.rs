//! Builds the faulty component as crates/artifact builds the real one.

#[path = "../artifact/build/wasm.rs"]
mod wasm;

fn main() {
    let out = std::path::PathBuf::from(std::env::var("OUT_DIR").expect("cargo sets OUT_DIR"));
    let built = wasm::component("sidetone-faulty").and_then(|component| {
        std::fs::write(out.join("faulty.component.wasm"), component)
            .map_err(|error| format!("cannot write to {}: {error}", out.display()))
    });
    if let Err(message) = built {
        println!("cargo::error={message}");
        std::process::exit(1);
    }
}
