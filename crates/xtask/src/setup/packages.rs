//! The package managers, and what each calls the packages.

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
    names: [&'static str; 11],
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
        ],
        needs_root: true,
    },
    Manager {
        program: "brew",
        install: &["brew", "install"],
        refresh: &["brew", "update"],
        names: ["llvm", "lld", "cmake", "", "", "", "mosquitto", "chromium", "python3", "nats-server", "prometheus"],
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
    packages: Vec<&'static str>,
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
    plan_with(manager, Rights::find(manager)?, packages)
}

fn plan_with(manager: &'static Manager, rights: Rights, packages: &[Package]) -> Result<Plan> {
    if let Some(unnamed) = packages.iter().find(|package| manager.name(**package).is_empty()) {
        bail!("{} is missing: install the system's developer tools (`xcode-select --install`)", unnamed.plain());
    }
    // clang brings its own C++ compiler.
    let with_clang = packages.contains(&Package::Clang);
    let packages = packages.iter().filter(|package| !(with_clang && **package == Package::Cxx));
    let packages: Vec<_> = packages.flat_map(|package| manager.name(*package).split(' ')).collect();
    if rights == Rights::None {
        let command = [manager.install, &packages[..]].concat().join(" ");
        bail!("cannot install without being root, and there is no sudo: run `{command}` as root, then try again");
    }
    Ok(Plan { manager, rights, packages })
}

fn plain(packages: &[Package]) -> String {
    packages.iter().map(|package| package.plain()).collect::<Vec<_>>().join(", ")
}

impl Plan {
    fn install(&self) -> Cmd {
        let words = [self.rights.words(), self.manager.install, &self.packages].concat();
        let install = Cmd::new(words[0]).args(&words[1..]);
        if self.rights == Rights::Enough {
            return install.remedy("install it by hand, then try again");
        }
        let as_root = [self.manager.install, &self.packages].concat().join(" ");
        install.remedy(format!("run `{as_root}` as root, then try again"))
    }

    /// The command that will run.
    pub(super) fn shown(&self) -> String {
        self.install().shown().to_owned()
    }

    /// A sentence where Debian will start what it installs, at once and at every boot: a broker takes the gateway's port.
    pub(super) fn side_effect(&self) -> Option<String> {
        const SERVICES: [&str; 3] = ["mosquitto", "nats-server", "prometheus"];
        let started: Vec<_> = SERVICES.into_iter().filter(|service| self.packages.contains(service)).collect();
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
        let words = [self.rights.words(), self.manager.refresh].concat();
        if let Err(error) = Cmd::new(words[0]).args(&words[1..]).run() {
            // One broken source among many need not matter.
            println!("{error}; trying all the same");
        }
        self.install().run()
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
