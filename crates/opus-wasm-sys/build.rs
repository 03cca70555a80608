//! Compiles libopus for wasm32 from the sources that the crate `opusic-sys` carries.
//!
//! Native targets need nothing from here: they use `opusic-sys` itself. No source of libopus is kept
//! in this repository; cargo knows where the pinned `opusic-sys` lies.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// What a user runs when the tools for the wasm build are missing.
const REMEDY: &str = "run `cargo xtask setup`";

/// libopus 1.6.1 as opusic-sys carries it; `lib.rs` repeats it to users.
const LIBOPUS_VERSION: &str = "1.6.1";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if env::var("CARGO_CFG_TARGET_ARCH").as_deref() != Ok("wasm32") {
        return;
    }
    if let Err(message) = build() {
        println!("cargo::error={message}");
        std::process::exit(1);
    }
}

fn build() -> Result<(), String> {
    println!("cargo:rerun-if-changed=libc");
    println!("cargo:rerun-if-changed=simd128");
    println!("cargo:rerun-if-env-changed=SIDETONE_CLANG");

    let clang = find_clang()?;
    let sys = opusic_sys_dir()?;
    let opus = sys.join("opus");
    check_version(&opus)?;
    write_bindings(&sys)?;

    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"));
    let mut cc = cc::Build::new();
    cc.compiler(&clang)
        .archiver(archiver(&clang))
        .target("wasm32-unknown-unknown")
        .opt_level(3)
        .debug(false)
        .warnings(false)
        .pic(false)
        // libopus's own switches: VLAs on the stack, float build, checks of its own invariants on.
        .define("OPUS_BUILD", None)
        .define("VAR_ARRAYS", None)
        .define("ENABLE_HARDENING", None)
        .define("HAVE_LRINT", None)
        .define("HAVE_LRINTF", None)
        .define("DISABLE_DEBUG_FLOAT", None)
        .define("NDEBUG", None)
        .define("PACKAGE_VERSION", Some(format!("\"{LIBOPUS_VERSION}\"").as_str()))
        // celt/arch.h asks `__LP64__` whether 64-bit arithmetic is fast. In wasm it is, though pointers have 32.
        .define("__LP64__", "1")
        .flag("-std=gnu11")
        .flag("-nostdlibinc")
        .flag("-fno-math-errno")
        .flag("-fno-trapping-math")
        .flag("-fvisibility=hidden")
        .flag("-msimd128")
        .flag("-mnontrapping-fptoint")
        .flag("-msign-ext")
        // A call of the engine's memory.copy costs more than the few bytes libopus usually moves.
        .flag("-mno-bulk-memory")
        // The artifact must not depend on where it was built.
        .flag(format!("-ffile-prefix-map={}=opusic-sys", sys.display()))
        .flag(format!("-ffile-prefix-map={}=opus-wasm-sys", here.display()))
        .include(here.join("libc/include"));
    for dir in ["include", "celt", "silk", "silk/float", "src", "."] {
        cc.include(opus.join(dir));
    }
    let base = cc.clone();
    let kernels = here.join("simd128");
    cc.include(&kernels).flag("-include").flag("celt_kernels.h");
    let mut unrolled = cc.clone();
    unrolled.flag("-mllvm").flag("-unroll-count=4").flag("-mllvm").flag("-unroll-runtime");
    for file in ADDED {
        cc.file(kernels.join(file));
    }
    for list in LISTS {
        for file in sources(&opus, list)? {
            match REPLACED.iter().find(|(theirs, ..)| *theirs == file) {
                Some((_, ours, _)) => cc.file(kernels.join(ours)),
                None if UNROLLED.contains(&file.as_str()) => unrolled.file(opus.join(file)),
                None => cc.file(opus.join(file)),
            };
        }
    }
    if env::var_os("CARGO_FEATURE_KERNEL_TESTS").is_some() {
        let mut reference = base.clone();
        for symbol in REPLACED.iter().flat_map(|(_, _, symbols)| *symbols) {
            reference.define(symbol, Some(format!("ref_{symbol}").as_str()));
        }
        for (theirs, ..) in REPLACED {
            reference.file(opus.join(theirs));
        }
        reference.try_compile("opus_reference").map_err(|error| format!("compiling the reference failed: {error}"))?;
        cc.file(kernels.join("check.c"));
    }
    for (build, name) in [(unrolled, "opus_unrolled"), (cc, "opus")] {
        build
            .try_compile(name)
            .map_err(|error| format!("compiling libopus for wasm32 with {} failed: {error}", clang.display()))?;
    }
    Ok(())
}

/// The variables of libopus's own `*_sources.mk` that make up the float build.
const LISTS: &[(&str, &str)] = &[
    ("celt_sources.mk", "CELT_SOURCES"),
    ("silk_sources.mk", "SILK_SOURCES"),
    ("silk_sources.mk", "SILK_SOURCES_FLOAT"),
    ("opus_sources.mk", "OPUS_SOURCES"),
    ("opus_sources.mk", "OPUS_SOURCES_FLOAT"),
];

/// Files of libopus that are not compiled, ours in `simd128/` that stand for them, and the functions they define.
const REPLACED: &[(&str, &str, &[&str])] = &[
    ("celt/kiss_fft.c", "fft.c", &["opus_fft_impl", "opus_fft_c", "opus_ifft_c"]),
    ("silk/LPC_analysis_filter.c", "lpc_analysis_filter.c", &["silk_LPC_analysis_filter"]),
    ("silk/NSQ.c", "nsq.c", &["silk_NSQ_c"]),
    ("silk/NSQ_del_dec.c", "nsq_del_dec.c", &["silk_NSQ_del_dec_c"]),
    ("silk/decode_core.c", "decode_core.c", &["silk_decode_core"]),
    ("silk/resampler_private_IIR_FIR.c", "resampler_iir_fir.c", &["silk_resampler_private_IIR_FIR"]),
    ("silk/resampler_private_down_FIR.c", "resampler_down_fir.c", &["silk_resampler_private_down_FIR"]),
    ("silk/float/autocorrelation_FLP.c", "autocorrelation.c", &["silk_autocorrelation_FLP"]),
    ("silk/float/burg_modified_FLP.c", "burg.c", &["silk_burg_modified_FLP"]),
    ("silk/float/energy_FLP.c", "energy.c", &["silk_energy_FLP"]),
    ("silk/float/inner_product_FLP.c", "inner_product.c", &["silk_inner_product_FLP_c"]),
    ("silk/float/warped_autocorrelation_FLP.c", "warped_autocorrelation.c", &["silk_warped_autocorrelation_FLP"]),
];

/// Files of libopus whose tight loops are unrolled. Each turn of a loop costs a look at the deadline, and with it the
/// engine moves what the loop keeps in registers through memory.
const UNROLLED: &[&str] = &[
    "celt/celt_decoder.c",
    "celt/celt_encoder.c",
    "celt/mathops.c",
    "celt/mdct.c",
    "silk/A2NLSF.c",
    "silk/NLSF_del_dec_quant.c",
    "silk/ana_filt_bank_1.c",
    "silk/resampler_down2.c",
    "silk/resampler_private_AR2.c",
    "silk/resampler_private_up2_HQ.c",
    "silk/float/LPC_analysis_filter_FLP.c",
    "silk/float/apply_sine_window_FLP.c",
    "src/mlp.c",
    "src/opus.c",
    "src/opus_encoder.c",
];

/// Files of ours beside libopus's: what its hooks in `celt_kernels.h` call.
const ADDED: &[&str] = &["celt_pitch_xcorr.c"];

/// Multistream and projection (surround) are not part of the API of this crate.
const LEFT_OUT: &[&str] = &["multistream", "projection", "mapping_matrix"];

fn sources(opus: &Path, (file, variable): &(&str, &str)) -> Result<Vec<String>, String> {
    let path = opus.join(file);
    let text = fs::read_to_string(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    let start =
        text.find(&format!("{variable} =")).ok_or_else(|| format!("{} has no variable {variable}", path.display()))?;
    let mut files = Vec::new();
    for line in text[start..].lines().skip(1) {
        let name = line.trim_end_matches('\\').trim();
        if !name.is_empty() && !LEFT_OUT.iter().any(|part| name.contains(part)) {
            files.push(name.to_owned());
        }
        if !line.ends_with('\\') {
            break;
        }
    }
    Ok(files)
}

/// Asks cargo for the folder of the pinned `opusic-sys`.
fn opusic_sys_dir() -> Result<PathBuf, String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("Cargo.toml");
    let output = Command::new(cargo)
        .args(["metadata", "--format-version=1"])
        // What other platforms need may not have been downloaded.
        .args(["--filter-platform", &env::var("HOST").expect("cargo sets HOST")])
        .arg("--manifest-path")
        .arg(manifest)
        .output()
        .map_err(|e| format!("cannot run cargo metadata: {e}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).map_err(|e| format!("cargo metadata is not JSON: {e}"))?;
    let package = metadata["packages"]
        .as_array()
        .and_then(|packages| packages.iter().find(|p| p["name"] == "opusic-sys"))
        .ok_or("cargo metadata names no package opusic-sys")?;
    let manifest = package["manifest_path"].as_str().ok_or("opusic-sys has no manifest path")?;
    Ok(Path::new(manifest).parent().expect("a manifest lies in a folder").to_owned())
}

fn check_version(opus: &Path) -> Result<(), String> {
    let path = opus.join("package_version");
    let text = fs::read_to_string(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    if text.contains(&format!("\"{LIBOPUS_VERSION}\"")) {
        Ok(())
    } else {
        Err(format!("opusic-sys carries {}, this crate is written for libopus {LIBOPUS_VERSION}", text.trim()))
    }
}

/// The very bindings of `opusic-sys` serve wasm32 too (they name no pointer-sized integer); only
/// the inner attributes have to go before they can be included.
fn write_bindings(sys: &Path) -> Result<(), String> {
    let path = sys.join("src/lib.rs");
    let text = fs::read_to_string(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    let body: String = text.lines().filter(|l| !l.starts_with("#![")).flat_map(|l| [l, "\n"]).collect();
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets OUT_DIR")).join("bindings.rs");
    fs::write(&out, body).map_err(|e| format!("cannot write {}: {e}", out.display()))
}

/// The newest clang that has the wasm32 target, or the one that `SIDETONE_CLANG` names.
fn find_clang() -> Result<PathBuf, String> {
    if let Some(named) = env::var_os("SIDETONE_CLANG") {
        let named = PathBuf::from(named);
        return if has_wasm_target(&named) {
            Ok(named)
        } else {
            Err(format!("SIDETONE_CLANG={} is no clang with the wasm32 target", named.display()))
        };
    }
    let versioned = (14..=30).rev().map(|v| PathBuf::from(format!("clang-{v}")));
    versioned
        .chain([PathBuf::from("clang")])
        .find(|clang| has_wasm_target(clang))
        .ok_or_else(|| format!("libopus needs a clang that compiles for wasm32, and there is none: {REMEDY}"))
}

fn has_wasm_target(clang: &Path) -> bool {
    Command::new(clang)
        .arg("-print-targets")
        .output()
        .is_ok_and(|o| o.status.success() && String::from_utf8_lossy(&o.stdout).contains("wasm32"))
}

/// `llvm-ar` of the same version where there is one; any `ar` will do, rustc makes its own index.
fn archiver(clang: &Path) -> PathBuf {
    let name = clang.file_name().unwrap_or_default().to_string_lossy().replace("clang", "llvm-ar");
    let sibling = clang.with_file_name(name);
    let found = Command::new(&sibling).arg("--version").output().is_ok_and(|o| o.status.success());
    if found { sibling } else { PathBuf::from("ar") }
}
