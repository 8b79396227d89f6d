//! Where copies of the network are.

use super::server::{self, Servers};
use crate::backend::Backend;
use anyhow::{Context, Result};
use burn::tensor::Device;
use std::fmt;
use std::str::FromStr;

/// Where a copy of the network is trained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// On a device of this process: its number, where the backend counts them.
    Local(usize),
    /// On a device that a server in this process has, reached over the loopback interface.
    Loopback,
    /// On the device of a server: `ws://HOST:PORT`.
    Remote(String),
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let place = || match text.split_once(':') {
            None if text == "local" => Some(Place::Local(0)),
            None if text == "loopback" => Some(Place::Loopback),
            Some(("local", index)) => Some(Place::Local(index.parse().ok()?)),
            Some(("ws", address)) => {
                let (host, port) = address.strip_prefix("//")?.rsplit_once(':')?;
                let whole = !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0);
                whole.then(|| Place::Remote(text.into()))
            }
            _ => None,
        };
        place().ok_or_else(|| "it must be local, local:NUMBER, loopback or ws://HOST:PORT".into())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Local(0) => f.write_str("local"),
            Place::Local(index) => write!(f, "local:{index}"),
            Place::Loopback => f.write_str("loopback"),
            Place::Remote(url) => f.write_str(url),
        }
    }
}

/// Places with their devices, open.
#[derive(Debug)]
pub struct Places {
    /// The devices, in the order of the places.
    pub devices: Vec<Device>,
    /// They end with this.
    _servers: Option<Servers>,
}

impl Places {
    /// Opens the device of each place; servers that ask for it are told the token.
    ///
    /// # Errors
    /// If one of them cannot be reached.
    pub fn open(places: &[Place], backend: Backend, token: Option<&str>) -> Result<Self> {
        let mut servers = None;
        let mut open = |place: &Place| match place {
            Place::Local(index) => backend.open_nth(*index),
            Place::Loopback => {
                let running = match &mut servers {
                    Some(running) => running,
                    none => none.insert(Servers::new()?),
                };
                running.add(backend)
            }
            Place::Remote(url) => server::connect(url, token),
        };
        let open = |place: &Place| open(place).with_context(|| format!("--on {place}"));
        let devices = places.iter().map(open).collect::<Result<_>>()?;
        Ok(Self { devices, _servers: servers })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_parsed_and_told() {
        for text in ["local", "local:3", "loopback", "ws://gpu:3000"] {
            assert_eq!(text.parse::<Place>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "local:",
            "local:x",
            "gpu",
            "gpu:3000",
            "http://gpu:3000",
            "ws://",
            "ws://gpu",
            "ws://:3000",
            "ws://gpu:99999",
            "wss://gpu:3000",
        ] {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
    }
}
