//! Takes a component apart, without running it.

use anyhow::{Context, Result, bail};
use wasmparser::{Parser, Payload};

/// The parts of a component.
#[derive(Debug)]
pub(super) struct Anatomy<'a> {
    /// The largest module inside: the others are small ones that the component model needs.
    pub(super) core: &'a [u8],
    pub(super) exports: Vec<String>,
    pub(super) imports: Vec<String>,
    /// Pages of 64 KiB that the core module's memory starts with.
    pub(super) memory_pages: u64,
}

/// Looks at the outermost component only; what it nests is its own business.
pub(super) fn of(bytes: &[u8]) -> Result<Anatomy<'_>> {
    check_kind(bytes)?;
    let mut anatomy = Anatomy { core: &[], exports: Vec::new(), imports: Vec::new(), memory_pages: 0 };
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.context("it is damaged")? {
            Payload::ModuleSection { unchecked_range, .. } => {
                let range = unchecked_range.start as usize..unchecked_range.end as usize;
                let module = bytes.get(range).context("it is cut short")?;
                if depth == 0 && module.len() > anatomy.core.len() {
                    anatomy.core = module;
                }
                depth += 1;
            }
            Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    anatomy.exports.push(export.context("it is damaged")?.name.name.to_owned());
                }
            }
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    anatomy.imports.push(import.context("it is damaged")?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    if anatomy.core.is_empty() {
        bail!("it holds no core module");
    }
    anatomy.memory_pages = memory(anatomy.core)?;
    Ok(anatomy)
}

fn memory(module: &[u8]) -> Result<u64> {
    let mut pages = 0;
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::MemorySection(section) = payload.context("its core module is damaged")? {
            for memory in section {
                pages += memory.context("its core module is damaged")?.initial;
            }
        }
    }
    Ok(pages)
}

/// Tells what a file is that is no component; a parser's own words would not help.
fn check_kind(bytes: &[u8]) -> Result<()> {
    match bytes {
        [] => bail!("it has no bytes"),
        [b'\0', b'a', b's', b'm', 1, 0, 0, 0, ..] => {
            bail!("it is a core module; `inspect` wants the component around it")
        }
        [b'\0', b'a', b's', b'm', _, _, 1, 0, ..] => Ok(()),
        [b'\0', b'a', b's', b'm', ..] => bail!("it is WebAssembly of a version not known here"),
        _ => {
            let first: Vec<String> = bytes.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
            bail!("it begins with the bytes {}, not with 00 61 73 6d", first.join(" "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_component_comes_apart_into_what_it_was_made_of() {
        let anatomy = of(sidetone_artifact::COMPONENT).unwrap();
        assert_eq!(anatomy.core, sidetone_artifact::CORE_MODULE);
        assert_eq!(anatomy.imports, Vec::<String>::new());
        let interfaces = ["types", "codec", "packet", "session"].map(|name| format!("sidetone:media/{name}@0.1.0"));
        assert!(interfaces.iter().all(|name| anatomy.exports.contains(name)), "{:?}", anatomy.exports);
        assert!(anatomy.memory_pages > 8);
    }

    #[test]
    fn no_cut_component_is_taken_for_a_whole_one() {
        let whole = sidetone_artifact::COMPONENT;
        for end in [0, 3, 4, 7, 8, 100, whole.len() / 2, whole.len() - 1] {
            assert!(of(&whole[..end]).is_err(), "{end} bytes");
        }
    }
}
