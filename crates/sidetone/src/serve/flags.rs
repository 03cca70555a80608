//! Flags for the settings: made from the gateway's table, so that both name the same.

use clap::builder::NonEmptyStringValueParser;
use clap::error::Error;
use clap::{Arg, ArgAction, ArgMatches, Command, FromArgMatches};
use sidetone_gateway::config::{Kind, SECTIONS, SETTINGS, Setting};
use std::sync::LazyLock;

/// Settings given as flags: name of the setting, text.
#[derive(Clone, Debug, Default)]
pub(super) struct Flags(Vec<(&'static str, String)>);

impl Flags {
    pub(super) fn given(&self) -> &[(&'static str, String)] {
        &self.0
    }
}

impl clap::Args for Flags {
    fn augment_args(command: Command) -> Command {
        SETTINGS.iter().zip(NAMES.iter()).fold(command, |command, (setting, name)| command.arg(flag(setting, name)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let given =
            SETTINGS.iter().filter_map(|setting| Some((setting.name, matches.get_one::<String>(setting.name)?)));
        Ok(Self(given.map(|(name, text)| (name, text.clone())).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Names of the flags, without the dashes.
static NAMES: LazyLock<Vec<String>> =
    LazyLock::new(|| SETTINGS.iter().map(|setting| setting.flag().trim_start_matches('-').to_owned()).collect());

fn flag(setting: &'static Setting, name: &'static str) -> Arg {
    let heading = SECTIONS.iter().find(|(section, _)| *section == setting.section()).map_or("", |(_, about)| *about);
    let flag = Arg::new(setting.name)
        .long(name)
        .value_name(setting.value)
        .help(setting.help)
        .help_heading(heading)
        .action(ArgAction::Set)
        // Sixty settings are for those who ask for them.
        .hide_short_help(true);
    match setting.kind {
        Kind::Flag => flag.num_args(0..=1).require_equals(true).default_missing_value("true"),
        Kind::TextOrNone => flag,
        _ => flag.value_parser(NonEmptyStringValueParser::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Args;

    #[test]
    fn flags_are_settings_by_another_name() {
        let parse = |line: &str| {
            let command = Flags::augment_args(Command::new("serve"));
            Flags::from_arg_matches(&command.get_matches_from(line.split(' '))).unwrap().0
        };
        let given = parse("serve --mqtt-listen off --audio-fec --mqtt-allow-anonymous=false --broker-group=");
        let expected =
            [("mqtt.listen", "off"), ("mqtt.allow_anonymous", "false"), ("broker.group", ""), ("audio.fec", "true")];
        assert_eq!(given, expected.map(|(name, text)| (name, text.to_owned())));
        assert_eq!(parse("serve"), []);
    }
}
