//! A bad network between two peers: a relay on 127.0.0.1 that loses and reorders datagrams.

use std::net::SocketAddr;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::net::UdpSocket;
use tokio::sync::watch;

/// What happens to RTP; the rest (STUN, DTLS, RTCP) passes unharmed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Weather {
    pub(crate) loss: f64,
    pub(crate) reorder: f64,
    pub(crate) duplicate: f64,
    /// Nothing at all passes.
    pub(crate) blackout: bool,
}

/// Relays between a gateway and whoever talks to it through [`Relay::address`].
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    weather: watch::Sender<Weather>,
    task: tokio::task::JoinHandle<()>,
}

impl Relay {
    pub(crate) async fn to(gateway: SocketAddr, seed: u64) -> Self {
        let front = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let back = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = front.local_addr().unwrap();
        let (weather, seen) = watch::channel(Weather::default());
        let task = tokio::spawn(async move {
            let mut dice = StdRng::seed_from_u64(seed);
            let mut client = None;
            let (mut from_client, mut from_gateway) = ([0; 2_000], [0; 2_000]);
            let (mut held_up, mut held_down): (Option<Vec<u8>>, Option<Vec<u8>>) = (None, None);
            loop {
                tokio::select! {
                    Ok((length, source)) = front.recv_from(&mut from_client) => {
                        client = Some(source);
                        pass(&mut dice, *seen.borrow(), &from_client[..length], &mut held_up, &back, gateway);
                    }
                    Ok((length, _)) = back.recv_from(&mut from_gateway) => {
                        if let Some(client) = client {
                            pass(&mut dice, *seen.borrow(), &from_gateway[..length], &mut held_down, &front, client);
                        }
                    }
                }
            }
        });
        Self { address, weather, task }
    }

    pub(crate) fn set(&self, weather: Weather) {
        self.weather.send(weather).unwrap();
    }

    /// Puts the relay in the place of the gateway in its description.
    pub(crate) fn redirect(&self, sdp: &str, gateway: SocketAddr) -> String {
        sdp.replace(&format!(" {} ", gateway.port()), &format!(" {} ", self.address.port()))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn pass(
    dice: &mut StdRng,
    weather: Weather,
    datagram: &[u8],
    held: &mut Option<Vec<u8>>,
    socket: &UdpSocket,
    to: SocketAddr,
) {
    if weather.blackout {
        return;
    }
    let is_rtp = datagram.len() > 12 && datagram[0] >> 6 == 2 && !(192..=223).contains(&datagram[1]);
    if is_rtp && dice.random_bool(weather.loss) {
        return;
    }
    if is_rtp && held.is_none() && dice.random_bool(weather.reorder) {
        *held = Some(datagram.to_vec());
        return;
    }
    let copies = if is_rtp && dice.random_bool(weather.duplicate) { 2 } else { 1 };
    for _ in 0..copies {
        let _ = socket.try_send_to(datagram, to);
    }
    if let Some(late) = held.take() {
        let _ = socket.try_send_to(&late, to);
    }
}

/// Something a stranger might throw at a socket, of every kind the demultiplexer knows.
pub(crate) async fn throw_rubbish(target: SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut dice = StdRng::seed_from_u64(99);
    for round in 0..400 {
        let first = [0, 1, 20, 22, 63, 64, 127, 128, 144, 191, 192, 255][round % 12];
        let length = dice.random_range(0..1_400);
        let mut datagram: Vec<u8> = (0..length).map(|_| dice.random()).collect();
        if let Some(byte) = datagram.first_mut() {
            *byte = first;
        }
        socket.send_to(&datagram, target).await.unwrap();
        if round % 50 == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}
