//! Asking a running server how it is, for containers without a shell.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How long the answer may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether the server whose agents' listener is at `address` is ready.
pub async fn check(address: SocketAddr) -> anyhow::Result<()> {
    let ask = async {
        let mut stream = TcpStream::connect(address).await?;
        stream
            .write_all(
                format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes(),
            )
            .await?;
        let mut answer = Vec::new();
        stream.take(4_096).read_to_end(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = tokio::time::timeout(PATIENCE, ask)
        .await
        .with_context(|| format!("{address} did not answer in time"))?
        .with_context(|| format!("nothing answers at {address}"))?;
    if !answer.starts_with(b"HTTP/1.1 200") {
        bail!("the server at {address} is not ready");
    }
    Ok(())
}
