//! The sockets of a peer, read as one.

use std::io;
use std::net::SocketAddr;
use std::task::Poll;

use tokio::io::ReadBuf;
use tokio::net::UdpSocket;

use super::TransportError;

/// One UDP socket for each local address.
#[derive(Debug)]
pub(super) struct Link {
    sockets: Vec<UdpSocket>,
    addresses: Vec<SocketAddr>,
    /// Which socket is asked first, so that a busy one does not starve the others.
    turn: usize,
}

/// A datagram that came in.
#[derive(Debug)]
pub(super) struct Datagram {
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) length: usize,
}

impl Link {
    /// Binds every address it can; fails only if none can be bound.
    pub(super) fn bind(addresses: &[SocketAddr]) -> Result<Self, TransportError> {
        let mut link = Self { sockets: Vec::new(), addresses: Vec::new(), turn: 0 };
        let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for &address in addresses {
            match open(address) {
                Ok((socket, bound)) => {
                    link.sockets.push(socket);
                    link.addresses.push(bound);
                }
                Err(error) => {
                    tracing::debug!(%error, "a local address could not be bound");
                    failure = error;
                }
            }
        }
        if link.sockets.is_empty() { Err(TransportError::NoAddress(failure)) } else { Ok(link) }
    }

    pub(super) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Sends from the socket bound to `source`. A network that is down is no error here: ICE notices by itself.
    pub(super) fn send(&self, source: SocketAddr, destination: SocketAddr, contents: &[u8]) {
        let Some(index) = self.addresses.iter().position(|address| *address == source) else { return };
        if let Err(error) = self.sockets[index].try_send_to(contents, destination) {
            tracing::trace!(%error, "a datagram could not be sent");
        }
    }

    /// The next datagram on any socket. Dropping the future loses nothing.
    pub(super) async fn receive(&mut self, buffer: &mut [u8]) -> Datagram {
        std::future::poll_fn(|context| {
            let count = self.sockets.len();
            for step in 0..count {
                let index = (self.turn + step) % count;
                let mut read = ReadBuf::new(buffer);
                loop {
                    match self.sockets[index].poll_recv_from(context, &mut read) {
                        Poll::Ready(Ok(source)) => {
                            self.turn = (index + 1) % count;
                            let length = read.filled().len();
                            return Poll::Ready(Datagram {
                                source,
                                destination: self.addresses[index],
                                length,
                            });
                        }
                        // Windows and Linux report a neighbour's "port unreachable" here; the socket stays good.
                        Poll::Ready(Err(_)) => {}
                        Poll::Pending => break,
                    }
                }
            }
            Poll::Pending
        })
        .await
    }
}

fn open(address: SocketAddr) -> io::Result<(UdpSocket, SocketAddr)> {
    let socket = std::net::UdpSocket::bind(address)?;
    socket.set_nonblocking(true)?;
    let bound = socket.local_addr()?;
    Ok((UdpSocket::from_std(socket)?, bound))
}
