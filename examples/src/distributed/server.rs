//! Devices for others, and those of others.

use crate::backend::Backend;
use crate::quietly::quietly;
use crate::report::say;
use anyhow::{Context, Result, anyhow};
use burn::remote::RemoteHost;
use burn::server::{RemoteServer, ServerLogging, TokenAuthorizer, WebSocketTransport};
use burn::tensor::{Device, Tensor};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::panic::AssertUnwindSafe;
use tokio::runtime::Runtime;

/// Servers in this process, on ports of the loopback interface that are free. They end when it is
/// dropped.
#[derive(Debug)]
pub struct Servers(Option<Runtime>);

impl Servers {
    /// None yet.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn new() -> Result<Self> {
        Ok(Self(Some(runtime()?)))
    }

    /// Starts another, which has a device of a backend, and connects with it.
    ///
    /// # Errors
    /// If the backend finds no device, or no port is free.
    pub fn add(&self, backend: Backend) -> Result<Device> {
        let server = RemoteServer::new([backend.open()?]);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
        let address = listener.local_addr().context("no port is free")?;
        let serving = server.serve_async(WebSocketTransport::from_listener(listener));
        if let Some(runtime) = &self.0 {
            runtime.spawn(serving);
        }
        connect(&format!("ws://{address}"), None)
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        // Sessions that are still open are no reason to wait.
        self.0.take().into_iter().for_each(Runtime::shutdown_background);
    }
}

/// Serves a device until the process is asked to end.
pub(super) fn serve(
    backend: Backend,
    device: usize,
    address: SocketAddr,
    token: Option<&str>,
) -> Result<()> {
    let device = backend.open_nth(device)?;
    let listener = TcpListener::bind(address)
        .with_context(|| format!("--serve {address}: it cannot be listened on"))?;
    let mut server = RemoteServer::new([device]);
    if let Some(token) = token {
        server = server.with_authorizer(TokenAuthorizer::new(token).context("--token")?);
    }
    ServerLogging::install();
    say(format_args!("{} at ws://{}", backend.name, listener.local_addr()?));
    let serving = server.serve_async(WebSocketTransport::from_listener(listener));
    runtime()?
        .block_on(async {
            tokio::select! {
                served = serving => served.map_err(anyhow::Error::from),
                asked = tokio::signal::ctrl_c() => asked.map_err(anyhow::Error::from),
            }
        })
        .context("--serve")
}

/// Where servers run: one thread for all of them, while a session computes in a thread of its own.
///
/// Burn 0.22 needs that. A server that is asked for a tensor it does not have yet looks for it and
/// then begins to listen for it: what arrives in between, from another thread, goes unheard, and the
/// training waits for ever. On one thread nothing comes in between.
fn runtime() -> Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .context("cannot start a server")
}

/// Connects with the device of a server, and computes one number on it.
pub(super) fn connect(url: &str, token: Option<&str>) -> Result<Device> {
    let host = RemoteHost::websocket(url);
    let host = token.into_iter().fold(host, |host, token| host.with_credential(token));
    let two = |device: &Device| {
        let two = Tensor::<1>::ones([1], device) + 1.0;
        two.try_into_vec_as::<f32>().is_ok_and(|values| values == [2.0])
    };
    let device = quietly(AssertUnwindSafe(|| {
        let device = Device::remote_options(&host).init()?;
        Ok::<_, anyhow::Error>(two(&device).then_some(device))
    }));
    device.map_err(|reason| anyhow!(reason))??.context("its device does not compute")
}
