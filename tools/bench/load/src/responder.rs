//! A server that does nothing but answer, in a thread of this program: against it the tool measures
//! itself.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::bail;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

const LISTENER: Token = Token(usize::MAX);
/// What a voice webhook is answered with at least.
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: 29\r\n\r\n\
    <Response><Dial /></Response>";

/// Runs until it is dropped.
pub(crate) struct Responder {
    pub(crate) address: SocketAddr,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Responder {
    /// Answers from the moment at which `first` requests have come.
    pub(crate) fn start(first: usize) -> anyhow::Result<Self> {
        let mut listener = TcpListener::bind(([127, 0, 0, 1], 0).into())?;
        let address = listener.local_addr()?;
        let poll = Poll::new()?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let over = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&over);
        // When it fails its connections break, which whoever asks counts.
        let thread = thread::spawn(move || drop(respond(&listener, poll, first, &until)));
        Ok(Self { address, over, thread: Some(thread) })
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It does not panic, and nobody could be told here.
            let _ = thread.join();
        }
    }
}

struct Peer {
    stream: TcpStream,
    received: Vec<u8>,
}

fn respond(listener: &TcpListener, mut poll: Poll, first: usize, over: &AtomicBool) -> anyhow::Result<()> {
    let mut events = Events::with_capacity(256);
    let mut peers: Vec<Peer> = Vec::new();
    let mut come = 0;
    // Those that have asked and are not answered.
    let mut waiting = Vec::new();
    while !over.load(Ordering::Relaxed) {
        poll.poll(&mut events, Some(Duration::ZERO))?;
        for event in &events {
            if event.token() == LISTENER {
                while let Some((mut stream, _)) = unless_blocked(listener.accept())? {
                    stream.set_nodelay(true)?;
                    poll.registry().register(&mut stream, Token(peers.len()), Interest::READABLE)?;
                    peers.push(Peer { stream, received: Vec::with_capacity(8_192) });
                }
                continue;
            }
            let index = event.token().0;
            if asked(&mut peers[index])? {
                come += 1;
                waiting.push(index);
            }
        }
        if come >= first {
            for index in waiting.drain(..) {
                peers[index].stream.write_all(ANSWER)?;
            }
        }
    }
    Ok(())
}

/// Reads what has come; whether a whole request is there, which is then forgotten.
fn asked(peer: &mut Peer) -> anyhow::Result<bool> {
    let mut chunk = [0; 8_192];
    while let Some(count) = unless_blocked(peer.stream.read(&mut chunk))? {
        if count == 0 {
            return Ok(false);
        }
        peer.received.extend_from_slice(&chunk[..count]);
        let mut headers = [httparse::EMPTY_HEADER; 16];
        let mut request = httparse::Request::new(&mut headers);
        let httparse::Status::Complete(head) = request.parse(&peer.received)? else { continue };
        let length = request.headers.iter().find(|header| header.name == "content-length");
        let body: usize = length
            .map_or(Ok(0), |header| str::from_utf8(header.value)?.parse().map_err(anyhow::Error::from))?;
        if peer.received.len() > head + body {
            bail!("a request came before the one before it was answered");
        }
        if peer.received.len() == head + body {
            peer.received.clear();
            return Ok(true);
        }
    }
    Ok(false)
}

fn unless_blocked<T>(outcome: std::io::Result<T>) -> std::io::Result<Option<T>> {
    match outcome {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        outcome => outcome.map(Some),
    }
}
