//! Takes the pages that were built, and makes a table of their files. Builds nothing: no Node.js, no network.

use flate2::{Compression, GzBuilder};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Constant, where the page is built to, and what it is.
const PAGES: [(&str, &str, &str); 2] = [
    ("DASHBOARD", "web/dashboard", "the operator's dashboard"),
    ("DEVICE", "web/emulator", "the device for a browser"),
];

/// No file of a page is larger.
const LARGEST: u64 = 8 << 20;

fn main() {
    if let Err(message) = build() {
        println!("cargo::error={message}");
        std::process::exit(1);
    }
}

fn build() -> Result<(), String> {
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets OUT_DIR"));
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let workspace = here.ancestors().nth(2).expect("crates/pages lies two folders deep");
    println!("cargo::rerun-if-changed=build.rs");
    let mut source = String::new();
    for (name, folder, what) in PAGES {
        let dist = built_in(workspace, &here, folder);
        let mut files = Vec::new();
        let built = dist.join("index.html").is_file();
        if built {
            println!("cargo::rerun-if-changed={}", dist.display());
            collect(&dist, "", &mut files)?;
        } else {
            // A path that is not there would count as changed, each time: the folder that it will be in is watched.
            let above = workspace.join(folder);
            let watched = if above.is_dir() { above } else { here.clone() };
            println!("cargo::rerun-if-changed={}", watched.display());
            files.push(("index.html".to_owned(), instead_of(what).into_bytes()));
        }
        // The order in which a folder is read is not the same everywhere.
        files.sort();
        source += &table(name, what, built, &files, &out)?;
    }
    write(&out.join("pages.rs"), source.as_bytes())
}

/// In the published package the pages are those that were built when it was packed: their sources are not there.
fn built_in(workspace: &Path, here: &Path, folder: &str) -> PathBuf {
    let sources = workspace.join(folder);
    let packed = here.join("prebuilt").join(folder);
    if !sources.is_dir() && packed.is_dir() { packed } else { sources.join("dist") }
}

/// Every file below a folder, by its path with `/`.
fn collect(folder: &Path, prefix: &str, files: &mut Vec<(String, Vec<u8>)>) -> Result<(), String> {
    let unreadable = |path: &Path, error: io::Error| format!("cannot read {}: {error}", path.display());
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
        let path = entry.map_err(|error| unreadable(folder, error))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            return Err(format!("{} is no name for a file of a page: build it anew", path.display()));
        };
        let name = format!("{prefix}{name}");
        let about = fs::metadata(&path).map_err(|error| unreadable(&path, error))?;
        if about.is_dir() {
            collect(&path, &format!("{name}/"), files)?;
        } else if about.len() > LARGEST {
            let len = about.len();
            return Err(format!(
                "{} has {len} bytes, no page needs more than {LARGEST}: build it anew",
                path.display()
            ));
        } else {
            files.push((name, fs::read(&path).map_err(|error| unreadable(&path, error))?));
        }
    }
    Ok(())
}

/// A constant in Rust. Its bytes are written to files of their own.
fn table(name: &str, what: &str, built: bool, files: &[(String, Vec<u8>)], out: &Path) -> Result<String, String> {
    let mut source =
        format!("/// What is served: {what}.\npub static {name}: Page = Page {{ built: {built}, files: &[\n");
    for (path, bytes) in files {
        let hash: String = Sha256::digest(bytes).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let gzip = compressed(bytes)?;
        write(&out.join(&hash), bytes)?;
        let include = |file: &str| format!("include_bytes!(concat!(env!(\"OUT_DIR\"), {file:?}))");
        let gzip = if gzip.len() * 10 < bytes.len() * 9 {
            write(&out.join(format!("{hash}.gz")), &gzip)?;
            format!("Some({})", include(&format!("/{hash}.gz")))
        } else {
            "None".to_owned()
        };
        let bytes = include(&format!("/{hash}"));
        // Writing to a String cannot fail.
        let _ = writeln!(source, "    File {{ path: {path:?}, bytes: {bytes}, gzip: {gzip}, hash: {hash:?} }},");
    }
    source.push_str("] };\n");
    Ok(source)
}

/// With neither a name nor a time in its header: the same bytes from the same bytes.
fn compressed(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut encoder = GzBuilder::new().operating_system(255).write(Vec::new(), Compression::best());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.map_err(|error| format!("a page cannot be compressed: {error}"))
}

fn instead_of(what: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>Sidetone</title>\n</head>\n<body>\n<main><h1>Sidetone</h1>\n<p>This program was built without {what}: run \
         <code>cargo xtask web</code>, then build it again.</p>\n</main>\n</body>\n</html>\n"
    )
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    fs::write(path, bytes).map_err(|error| format!("cannot write {}: {error}", path.display()))
}
