//! One kept-alive HTTP/1.1 connection. Blocking, with a thread of its own: the time of an answer is
//! taken where it arrives, and no event loop stands between.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, bail};

/// As long as Twilio waits for an answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// More headers than either server sends.
const MAX_HEADERS: usize = 32;

/// What the server said.
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
}

/// A connection that is opened when needed.
pub(crate) struct Connection {
    server: SocketAddr,
    stream: Option<TcpStream>,
    received: Vec<u8>,
    /// How often it was opened.
    pub(crate) opened: u64,
}

struct Head {
    status: u16,
    length: usize,
    body_length: usize,
    close: bool,
}

impl Connection {
    pub(crate) fn new(server: SocketAddr) -> Self {
        Self { server, stream: None, received: Vec::with_capacity(8_192), opened: 0 }
    }

    /// Sends `request` and waits for the whole answer. A kept connection that the server has closed
    /// meanwhile is opened anew, once.
    pub(crate) fn ask(&mut self, request: &[u8]) -> anyhow::Result<Answer<'_>> {
        let kept = self.stream.is_some();
        let head = match self.exchange(request) {
            Err(_) if kept && self.received.is_empty() => {
                self.stream = None;
                self.exchange(request)
            }
            outcome => outcome,
        };
        let head = head.inspect_err(|_| self.stream = None)?;
        if head.close {
            self.stream = None;
        }
        Ok(Answer { status: head.status, body: &self.received[head.length..][..head.body_length] })
    }

    fn exchange(&mut self, request: &[u8]) -> anyhow::Result<Head> {
        self.received.clear();
        let stream = match &mut self.stream {
            Some(stream) => stream,
            empty => {
                let stream = TcpStream::connect(self.server)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                self.opened += 1;
                empty.insert(stream)
            }
        };
        stream.write_all(request)?;
        let mut head = None;
        let mut chunk = [0; 8_192];
        loop {
            let count = match stream.read(&mut chunk) {
                Ok(0) => bail!("the connection was closed before the answer was complete"),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => {
                    return Err(error).context("no answer came in 15 seconds or the connection broke");
                }
            };
            self.received.extend_from_slice(&chunk[..count]);
            if head.is_none() {
                head = parse(&self.received)?;
            }
            if let Some(known) = head.take_if(|head| self.received.len() >= head.length + head.body_length) {
                return Ok(known);
            }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use std::net::TcpListener;

    use super::*;

    /// Serves `answers`, one for each connection, in the pieces given, then closes.
    fn server(answers: Vec<Vec<&'static [u8]>>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for pieces in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0; 1_024];
                assert!(stream.read(&mut request).unwrap() > 0);
                for piece in pieces {
                    stream.write_all(piece).unwrap();
                }
            }
        });
        address
    }

    #[test]
    fn an_answer_in_pieces_is_put_together() {
        let address = server(vec![vec![b"HTTP/1.1 200 OK\r\nContent-Le", b"ngth: 5\r\n\r\nhe", b"llo"]]);
        let mut connection = Connection::new(address);
        let answer = connection.ask(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        assert_eq!((answer.status, answer.body), (200, b"hello".as_slice()));
    }

    #[test]
    fn a_kept_connection_that_was_closed_is_opened_anew() {
        let gone: Vec<&[u8]> = vec![b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n"];
        let mut connection = Connection::new(server(vec![gone.clone(), gone]));
        for _ in 0..2 {
            assert_eq!(connection.ask(b"GET / HTTP/1.1\r\n\r\n").unwrap().status, 403);
        }
        assert_eq!(connection.opened, 2);
    }

    #[test]
    fn half_an_answer_is_an_error() {
        let address = server(vec![vec![b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe"]]);
        assert!(Connection::new(address).ask(b"GET / HTTP/1.1\r\n\r\n").is_err());
    }
}
