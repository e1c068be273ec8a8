//! The sockets of a peer, read as one.

use std::io;
use std::net::SocketAddr;
use std::task::Poll;

use tokio::io::ReadBuf;
use tokio::net::UdpSocket;

use super::TransportError;

/// Errors in a row after which a socket is passed over: it is broken, as when its network is gone,
/// and would otherwise be asked without end.
const ERRORS_IN_A_ROW: usize = 8;

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
    ///
    /// A socket that only gives errors is left alone until something else happens or this is called
    /// again, as the loop of the connection does with each of its timers.
    pub(super) async fn receive(&mut self, buffer: &mut [u8]) -> Datagram {
        std::future::poll_fn(|context| {
            let count = self.sockets.len();
            for step in 0..count {
                let index = (self.turn + step) % count;
                let mut read = ReadBuf::new(buffer);
                for _ in 0..ERRORS_IN_A_ROW {
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

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::OwnedFd;
    use std::time::Duration;

    /// A socket that is always ready and fails each time: one of TCP with a caller at the door.
    fn broken() -> (UdpSocket, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let caller = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        listener.set_nonblocking(true).unwrap();
        let socket = std::net::UdpSocket::from(OwnedFd::from(listener));
        (UdpSocket::from_std(socket).unwrap(), caller)
    }

    #[tokio::test]
    async fn a_broken_socket_does_not_keep_the_others_from_being_heard() {
        let mut link = Link::bind(&["127.0.0.1:0".parse().unwrap()]).unwrap();
        let good = link.addresses[0];
        let (socket, _caller) = broken();
        socket.readable().await.unwrap();
        link.sockets.insert(0, socket);
        link.addresses.insert(0, "127.0.0.1:9".parse().unwrap());
        let friend = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        for turn in 0..3_u8 {
            friend.send_to(&[turn], good).unwrap();
            let mut buffer = [0; 16];
            let heard = tokio::time::timeout(Duration::from_secs(60), link.receive(&mut buffer)).await;
            assert_eq!((heard.unwrap().destination, buffer[0]), (good, turn));
        }
    }
}
