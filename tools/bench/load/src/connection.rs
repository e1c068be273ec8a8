//! One kept-alive HTTP/1.1 connection that never blocks: it is asked, and looked at again whenever
//! something has happened to it, until its answer is whole.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

/// More headers than either server sends.
const MAX_HEADERS: usize = 32;
/// Room for an answer of either server; a longer one gets more.
const ROOM: usize = 8_192;

/// What the server said.
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
}

/// A connection that is opened when needed.
pub(crate) struct Connection {
    server: SocketAddr,
    /// By which the poll tells what happened to this one.
    token: Token,
    stream: Option<TcpStream>,
    /// Kept until it is answered: it may have to be sent again, or in pieces.
    request: Vec<u8>,
    written: usize,
    received: Vec<u8>,
    filled: usize,
    head: Option<Head>,
    /// Since when it waits for an answer.
    asked: Option<Instant>,
    /// Whether the stream is one from before this request, which the server may have closed meanwhile.
    kept: bool,
    /// How often it was opened.
    pub(crate) opened: u64,
}

#[derive(Clone, Copy)]
struct Head {
    status: u16,
    length: usize,
    body_length: usize,
    close: bool,
}

impl Connection {
    pub(crate) fn new(server: SocketAddr, token: Token) -> Self {
        Self {
            server,
            token,
            stream: None,
            request: Vec::new(),
            written: 0,
            received: vec![0; ROOM],
            filled: 0,
            head: None,
            asked: None,
            kept: false,
            opened: 0,
        }
    }

    /// Since when it waits for an answer; `None` when it is free.
    pub(crate) fn asked(&self) -> Option<Instant> {
        self.asked
    }

    /// Sends `request`, or as much of it as goes at once.
    pub(crate) fn ask(&mut self, registry: &Registry, request: &[u8], now: Instant) -> anyhow::Result<()> {
        self.request.clear();
        self.request.extend_from_slice(request);
        self.asked = Some(now);
        self.kept = self.stream.is_some();
        let outcome = self.start(registry).or_else(|error| self.start_anew(registry, error));
        outcome.inspect_err(|_| self.give_up())
    }

    /// Goes on with what it was asked; `None` while the answer is incomplete.
    pub(crate) fn go_on(&mut self, registry: &Registry) -> Option<anyhow::Result<Answer<'_>>> {
        if self.asked.is_none() {
            self.look_for_end();
            return None;
        }
        let outcome = match self.write().and_then(|()| self.read()) {
            Err(error) => self.start_anew(registry, error).map(|()| None),
            outcome => outcome,
        };
        match outcome {
            Ok(None) => None,
            Ok(Some(head)) => {
                self.asked = None;
                if head.close {
                    self.stream = None;
                }
                Some(Ok(Answer {
                    status: head.status,
                    body: &self.received[head.length..][..head.body_length],
                }))
            }
            Err(error) => {
                self.give_up();
                Some(Err(error))
            }
        }
    }

    /// Waits no longer.
    pub(crate) fn give_up(&mut self) {
        self.stream = None;
        self.asked = None;
    }

    fn start(&mut self, registry: &Registry) -> anyhow::Result<()> {
        self.written = 0;
        self.filled = 0;
        self.head = None;
        if self.stream.is_none() {
            let mut stream = TcpStream::connect(self.server)?;
            stream.set_nodelay(true)?;
            registry.register(&mut stream, self.token, Interest::READABLE | Interest::WRITABLE)?;
            self.stream = Some(stream);
            self.opened += 1;
        }
        self.write()
    }

    /// After `error`: a kept connection that the server has closed meanwhile is opened anew, once.
    fn start_anew(&mut self, registry: &Registry, error: anyhow::Error) -> anyhow::Result<()> {
        if !self.kept || self.filled > 0 {
            return Err(error);
        }
        self.kept = false;
        self.stream = None;
        self.start(registry)
    }

    fn write(&mut self) -> anyhow::Result<()> {
        let stream = self.stream.as_mut().context("the connection is closed")?;
        while self.written < self.request.len() {
            match stream.write(&self.request[self.written..]) {
                Ok(count) => self.written += count,
                Err(error) => match error.kind() {
                    ErrorKind::Interrupted => {}
                    // Not opened yet, or nothing more fits: the poll tells when it goes on.
                    ErrorKind::WouldBlock | ErrorKind::NotConnected => break,
                    _ => return Err(error).context("the request could not be sent"),
                },
            }
        }
        Ok(())
    }

    /// Reads until the answer is whole or nothing more is there. What comes later raises a new event, so
    /// nothing is read behind a whole answer.
    fn read(&mut self) -> anyhow::Result<Option<Head>> {
        let stream = self.stream.as_mut().context("the connection is closed")?;
        loop {
            if self.filled == self.received.len() {
                self.received.resize(2 * self.filled, 0);
            }
            match stream.read(&mut self.received[self.filled..]) {
                Ok(0) => bail!("the connection was closed before the answer was complete"),
                Ok(count) => self.filled += count,
                Err(error) => match error.kind() {
                    ErrorKind::Interrupted => continue,
                    ErrorKind::WouldBlock | ErrorKind::NotConnected => return Ok(None),
                    _ => return Err(error).context("the connection broke"),
                },
            }
            if self.head.is_none() {
                self.head = parse(&self.received[..self.filled])?;
            }
            if let Some(head) = self.head
                && self.filled >= head.length + head.body_length
            {
                ensure!(
                    self.filled == head.length + head.body_length,
                    "more came than the answer that was announced"
                );
                return Ok(Some(head));
            }
        }
    }

    /// Lets go of a free connection that the server has closed. Bytes nobody asked for end it too.
    fn look_for_end(&mut self) {
        let Some(stream) = &mut self.stream else { return };
        let open = matches!(stream.read(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock);
        if !open {
            self.stream = None;
        }
    }
}

/// Reads the head of an answer; `None` while it is incomplete.
fn parse(received: &[u8]) -> anyhow::Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = response.parse(received)? else {
        return Ok(None);
    };
    let header = |name: &str| {
        let found = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        found.and_then(|header| std::str::from_utf8(header.value).ok())
    };
    if header("transfer-encoding").is_some() {
        bail!("the answer comes in chunks, which this program does not read");
    }
    let body_length = header("content-length").map_or(Ok(0), str::parse)?;
    let close = header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    Ok(Some(Head { status: response.code.unwrap_or_default(), length, body_length, close }))
}
