//! The listener for agents and monitoring.

use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::ledger::closed;

/// How long the head of a request may take, and a connection idle between two: longer than monitoring waits
/// between two looks, as a rule.
const HEAD: Duration = Duration::from_secs(75);
/// How long requests may take to finish when the server ends.
const DRAIN: Duration = Duration::from_secs(3);
/// How long to wait before the next connection is tried, when one could not be accepted.
const RETRY: Duration = Duration::from_millis(100);

/// Serves until `stopping` says so, then lets requests under way finish, and cuts off those that do not.
pub(super) async fn serve(listener: TcpListener, router: Router, mut stopping: watch::Receiver<bool>) {
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        let stream = tokio::select! {
            () = closed(&mut stopping) => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of file descriptors, most likely: trying again at once would only burn.
                    tracing::warn!(%error, "a connection of an agent could not be accepted");
                    tokio::time::sleep(RETRY).await;
                    continue;
                }
            },
        };
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router.clone()));
        let watched = graceful.watch(connection);
        connections.spawn(async move {
            if let Err(error) = watched.await {
                tracing::debug!(%error, "a connection of an agent ended early");
            }
        });
    }
    drop(listener);
    // A request that somebody began and never ended must not keep the log from being written.
    if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests of agents still under way were cut off");
    }
    connections.shutdown().await;
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use std::net::Ipv4Addr;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    use super::*;

    /// Time stands still but for waiting, so that this takes no longer than the sockets do.
    #[tokio::test(start_paused = true)]
    async fn who_never_ends_the_head_of_a_request_is_cut_off() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopping) = watch::channel(false);
        let serving = tokio::spawn(serve(listener, Router::new(), stopping));
        let mut half = TcpStream::connect(address).await.unwrap();
        half.write_all(b"GET /healthz HTTP/1.1\r\nHost: half").await.unwrap();
        let mut told = Vec::new();
        // Without a limit the clock would run on until this.
        tokio::time::timeout(HEAD * 2, half.read_to_end(&mut told)).await.unwrap().unwrap();
        stop.send_replace(true);
        serving.await.unwrap();
    }
}
