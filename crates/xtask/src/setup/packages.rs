//! The package managers, and what each calls the packages.

use super::tools::llvm_of_rustc;
use crate::sh::{Cmd, which};
use anyhow::{Result, bail};
use std::io::IsTerminal;

/// What a package manager can bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Package {
    Clang,
    Lld,
    Cmake,
    Make,
    Cc,
    Cxx,
    Mosquitto,
    Chromium,
    Python,
    NatsServer,
    Prometheus,
    Valgrind,
}

impl Package {
    /// What it is called where no package manager knows it.
    const fn plain(self) -> &'static str {
        match self {
            Self::Clang => "clang (14 or newer, with the wasm32 target)",
            Self::Lld => "lld",
            Self::Cmake => "cmake",
            Self::Make => "make",
            Self::Cc => "a C compiler",
            Self::Cxx => "a C++ compiler",
            Self::Mosquitto => "mosquitto with its clients",
            Self::Chromium => "Chromium",
            Self::Python => "Python 3",
            Self::NatsServer => "nats-server",
            Self::Prometheus => "promtool (of Prometheus)",
            Self::Valgrind => "valgrind",
        }
    }
}

/// A package manager.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Manager {
    program: &'static str,
    install: &'static [&'static str],
    /// Fetches the lists of packages.
    refresh: &'static [&'static str],
    /// In the order of [`Package`]; empty where the system's own developer tools bring it.
    names: [&'static str; 12],
    needs_root: bool,
}

const MANAGERS: &[Manager] = &[
    Manager {
        program: "apt-get",
        install: &["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "--no-install-recommends"],
        refresh: &["apt-get", "update"],
        names: [
            "clang",
            "lld",
            "cmake",
            "make",
            "gcc libc6-dev",
            "g++",
            "mosquitto mosquitto-clients",
            "chromium",
            "python3 python3-venv",
            "nats-server",
            "prometheus",
            "valgrind",
        ],
        needs_root: true,
    },
    Manager {
        program: "dnf",
        install: &["dnf", "install", "-y"],
        refresh: &["dnf", "makecache"],
        names: [
            "clang",
            "lld",
            "cmake",
            "make",
            "gcc",
            "gcc-c++",
            "mosquitto",
            "chromium",
            "python3",
            "",
            "golang-github-prometheus",
            "valgrind",
        ],
        needs_root: true,
    },
    Manager {
        program: "zypper",
        install: &["zypper", "--non-interactive", "install"],
        refresh: &["zypper", "--non-interactive", "refresh"],
        names: [
            "clang",
            "lld",
            "cmake",
            "make",
            "gcc",
            "gcc-c++",
            "mosquitto",
            "chromium",
            "python3",
            "",
            "golang-github-prometheus-prometheus",
            "valgrind",
        ],
        needs_root: true,
    },
    Manager {
        program: "pacman",
        install: &["pacman", "-S", "--needed", "--noconfirm"],
        refresh: &["pacman", "-Sy", "--noconfirm"],
        names: [
            "clang",
            "lld",
            "cmake",
            "make",
            "gcc",
            "gcc",
            "mosquitto",
            "chromium",
            "python3",
            "nats-server",
            "prometheus",
            "valgrind",
        ],
        needs_root: true,
    },
    Manager {
        program: "apk",
        install: &["apk", "add"],
        refresh: &["apk", "update"],
        names: [
            "clang",
            "lld",
            "cmake",
            "make",
            "gcc musl-dev",
            "g++",
            "mosquitto mosquitto-clients",
            "chromium",
            "python3",
            "",
            "prometheus",
            "valgrind",
        ],
        needs_root: true,
    },
    Manager {
        program: "brew",
        install: &["brew", "install"],
        refresh: &["brew", "update"],
        names: [
            "llvm",
            "lld",
            "cmake",
            "",
            "",
            "",
            "mosquitto",
            "chromium",
            "python3",
            "nats-server",
            "prometheus",
            "",
        ],
        needs_root: false,
    },
];

impl Manager {
    /// The package manager of this system.
    pub(super) fn find() -> Option<&'static Self> {
        MANAGERS.iter().find(|manager| which(manager.program).is_some())
    }

    /// Whether it has a package.
    pub(super) const fn offers(&self, package: Package) -> bool {
        !self.name(package).is_empty()
    }

    const fn name(&self, package: Package) -> &'static str {
        self.names[package as usize]
    }
}

/// A way to become root for one command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rights {
    Enough,
    Sudo,
    /// Nobody is there to type a password.
    SudoWithoutPassword,
    None,
}

impl Rights {
    fn find(manager: &Manager) -> Result<Self> {
        if !manager.needs_root || Cmd::new("id").arg("-u").read()?.trim() == "0" {
            return Ok(Self::Enough);
        }
        Ok(match which("sudo") {
            None => Self::None,
            Some(_) if std::io::stdin().is_terminal() => Self::Sudo,
            Some(_) => Self::SudoWithoutPassword,
        })
    }

    const fn words(self) -> &'static [&'static str] {
        match self {
            Self::Sudo => &["sudo"],
            Self::SudoWithoutPassword => &["sudo", "-n"],
            Self::Enough | Self::None => &[],
        }
    }
}

/// One run of a package manager.
#[derive(Debug)]
pub(super) struct Plan {
    manager: &'static Manager,
    rights: Rights,
    packages: Vec<String>,
}

/// What to run to get `packages`.
///
/// # Errors
/// A sentence that says what to run or install by hand, where nothing can be run from here.
pub(super) fn plan(manager: Option<&'static Manager>, packages: &[Package]) -> Result<Plan> {
    let Some(manager) = manager else {
        let known: Vec<_> = MANAGERS.iter().map(|manager| manager.program).collect();
        bail!(
            "cannot install {} here, where there is none of {}: install it by hand",
            plain(packages),
            known.join(", ")
        );
    };
    let mut plan = plan_with(manager, Rights::find(manager)?, packages)?;
    if manager.program == "apt-get" {
        // A fresh container has no lists yet: these come first, then it is known what is newest.
        if plan.wants_clang() && offered_clangs()?.is_none() {
            plan.refresh();
        }
        plan.take_newest_clang(offered_clangs()?.as_deref().unwrap_or_default(), llvm_of_rustc());
    }
    Ok(plan)
}

/// What apt offers under names that begin as clang's; none where it has no lists.
fn offered_clangs() -> Result<Option<String>> {
    let names = Cmd::new("apt-cache").args(["pkgnames", "clang"]).output()?;
    let names = String::from_utf8_lossy(&names.stdout).into_owned();
    Ok(names.lines().any(|name| name == "clang").then_some(names))
}

fn plan_with(manager: &'static Manager, rights: Rights, packages: &[Package]) -> Result<Plan> {
    if let Some(unnamed) = packages.iter().find(|package| manager.name(**package).is_empty()) {
        bail!("{} is missing: install the system's developer tools (`xcode-select --install`)", unnamed.plain());
    }
    // clang brings its own C++ compiler.
    let with_clang = packages.contains(&Package::Clang);
    let packages = packages.iter().filter(|package| !(with_clang && **package == Package::Cxx));
    let names = packages.flat_map(|package| manager.name(*package).split(' '));
    let packages: Vec<_> = names.map(str::to_owned).collect();
    if rights == Rights::None {
        let command = format!("{} {}", manager.install.join(" "), packages.join(" "));
        bail!("cannot install without being root, and there is no sudo: run `{command}` as root, then try again");
    }
    Ok(Plan { manager, rights, packages })
}

fn plain(packages: &[Package]) -> String {
    packages.iter().map(|package| package.plain()).collect::<Vec<_>>().join(", ")
}

impl Plan {
    fn install(&self) -> Cmd {
        let words = [self.rights.words(), self.manager.install].concat();
        let install = Cmd::new(words[0]).args(&words[1..]).args(&self.packages);
        if self.rights == Rights::Enough {
            return install.remedy("install it by hand, then try again");
        }
        let as_root = format!("{} {}", self.manager.install.join(" "), self.packages.join(" "));
        install.remedy(format!("run `{as_root}` as root, then try again"))
    }

    fn wants_clang(&self) -> bool {
        self.packages.iter().any(|package| package == "clang")
    }

    /// Debian's `clang` is the one of its release; a newer one beside it makes faster code (`docs/performance.md`).
    fn take_newest_clang(&mut self, offered: &str, most: u32) {
        let versions = offered.lines().filter_map(|name| name.strip_prefix("clang-")?.parse::<u32>().ok());
        if let Some(newest) = versions.filter(|version| (14..=most).contains(version)).max() {
            for package in self.packages.iter_mut().filter(|package| *package == "clang") {
                *package = format!("clang-{newest}");
            }
        }
    }

    /// The command that will run.
    pub(super) fn shown(&self) -> String {
        self.install().shown().to_owned()
    }

    /// A sentence where Debian will start what it installs, at once and at every boot: a broker takes the gateway's port.
    pub(super) fn side_effect(&self) -> Option<String> {
        const SERVICES: [&str; 3] = ["mosquitto", "nats-server", "prometheus"];
        let started = SERVICES.into_iter().filter(|service| self.packages.iter().any(|package| package == service));
        let started: Vec<_> = started.collect();
        let will = self.manager.program == "apt-get" && !started.is_empty();
        will.then(|| {
            format!(
                "note: where systemd runs, Debian starts these as services, which nothing here needs: {0}; end them with \
                 `systemctl disable --now {0}`",
                started.join(" ")
            )
        })
    }

    /// Installs the packages; fetches the lists of packages first where these are not known, or no longer offered.
    pub(super) fn run(&self) -> Result<()> {
        if self.is_known()? {
            let Err(error) = self.install().run() else { return Ok(()) };
            println!("{error}; perhaps because the lists of packages are out of date");
        }
        self.refresh();
        self.install().run()
    }

    /// Fetches the lists of packages.
    fn refresh(&self) {
        let words = [self.rights.words(), self.manager.refresh].concat();
        if let Err(error) = Cmd::new(words[0]).args(&words[1..]).run() {
            // One broken source among many need not matter.
            println!("{error}; trying all the same");
        }
    }

    /// A fresh container has no lists of packages.
    fn is_known(&self) -> Result<bool> {
        if self.manager.program != "apt-get" {
            return Ok(true);
        }
        for package in &self.packages {
            if !Cmd::new("apt-cache").args(["show", "--no-all-versions", package]).output()?.status.success() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apt() -> &'static Manager {
        &MANAGERS[0]
    }

    #[test]
    fn what_will_run_is_known_before_it_runs() {
        let plan = plan_with(apt(), Rights::Enough, &[Package::Clang, Package::Cc]).unwrap();
        let install =
            "env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends clang gcc libc6-dev";
        assert_eq!(plan.shown(), install);
        let plan = plan_with(apt(), Rights::SudoWithoutPassword, &[Package::Clang, Package::Cc]).unwrap();
        assert_eq!(plan.shown(), format!("sudo -n {install}"));
    }

    #[test]
    fn the_newest_clang_that_is_offered_is_taken() {
        let mut plan = plan_with(apt(), Rights::Enough, &[Package::Clang, Package::Cmake]).unwrap();
        plan.take_newest_clang("clang-tools-19\nclang-14\nclang-19\nclang\nclang-9\nclang-23\nclangd-21\n", 22);
        assert_eq!(plan.packages, ["clang-19", "cmake"]);
        let mut plan = plan_with(apt(), Rights::Enough, &[Package::Clang]).unwrap();
        plan.take_newest_clang("clang\nclang-13\n", 22);
        assert_eq!(plan.packages, ["clang"]);
    }

    #[test]
    fn services_that_debian_starts_are_said() {
        let effect = |packages: &[Package]| plan_with(apt(), Rights::Enough, packages).unwrap().side_effect();
        let said = effect(&[Package::Mosquitto, Package::NatsServer, Package::Cmake]).unwrap();
        assert!(said.ends_with("`systemctl disable --now mosquitto nats-server`"), "{said}");
        assert_eq!(effect(&[Package::Cmake, Package::Chromium]), None);
    }

    #[test]
    fn no_second_cxx_compiler_is_installed_beside_clang() {
        let plan = plan_with(apt(), Rights::Enough, &[Package::Clang, Package::Cxx]).unwrap();
        assert_eq!(plan.packages, ["clang"]);
        let plan = plan_with(apt(), Rights::Enough, &[Package::Cxx]).unwrap();
        assert_eq!(plan.packages, ["g++"]);
    }

    #[test]
    fn where_nothing_can_be_installed_the_sentence_says_what_to_run() {
        let error = plan_with(apt(), Rights::None, &[Package::Cmake]).unwrap_err().to_string();
        assert_eq!(
            error,
            "cannot install without being root, and there is no sudo: run `env DEBIAN_FRONTEND=noninteractive apt-get \
             install -y --no-install-recommends cmake` as root, then try again"
        );
        let error = plan(None, &[Package::Clang, Package::Cmake]).unwrap_err().to_string();
        assert_eq!(
            error,
            "cannot install clang (14 or newer, with the wasm32 target), cmake here, where there is none of apt-get, dnf, \
             zypper, pacman, apk, brew: install it by hand"
        );
        let brew = MANAGERS.iter().find(|manager| manager.program == "brew").unwrap();
        let error = plan_with(brew, Rights::Enough, &[Package::Make]).unwrap_err().to_string();
        assert_eq!(error, "make is missing: install the system's developer tools (`xcode-select --install`)");
    }
}
