//! Lines of a program's output, from the pieces in which they are read.

/// What is kept of one line, in bytes; programs that never end a line must not fill the memory.
const LENGTH: usize = 16 * 1024;

/// Puts lines together. A line ends with a line feed, or with a carriage return and one.
#[derive(Debug, Default)]
pub struct Lines {
    /// The line that has not ended yet.
    begun: Vec<u8>,
}

impl Lines {
    /// The lines that end within `piece`, without their ends. Of a line beyond 16 KiB the rest is left
    /// out, and what is no UTF-8 is replaced.
    pub fn add(&mut self, piece: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        let mut rest = piece;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, after) = rest.split_at(end);
            self.keep(line);
            lines.push(self.take());
            rest = after.get(1..).unwrap_or_default();
        }
        self.keep(rest);
        lines
    }

    /// The last line, if it did not end.
    pub fn last(&mut self) -> Option<String> {
        (!self.begun.is_empty()).then(|| self.take())
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = LENGTH.saturating_sub(self.begun.len());
        self.begun.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    fn take(&mut self) -> String {
        let line = String::from_utf8_lossy(&self.begun).trim_end_matches('\r').to_owned();
        self.begun.clear();
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_however_they_are_read() {
        let text = "one\r\n\ntwo is \u{e9}\nthree";
        for length in 1..text.len() {
            let mut lines = Lines::default();
            let mut read: Vec<_> =
                text.as_bytes().chunks(length).flat_map(|piece| lines.add(piece)).collect();
            read.extend(lines.last());
            assert_eq!(read, ["one", "", "two is \u{e9}", "three"], "in pieces of {length}");
            assert_eq!(lines.last(), None);
        }
    }

    #[test]
    fn a_line_without_end_fills_no_memory() {
        let mut lines = Lines::default();
        for _ in 0..1_000 {
            assert!(lines.add(&[b'x'; 1_000]).is_empty());
        }
        assert_eq!(lines.begun.len(), LENGTH);
        assert!(lines.begun.capacity() <= 2 * LENGTH);
        let read = lines.add(b"y\nnext\n");
        assert_eq!(read.iter().map(String::len).collect::<Vec<_>>(), [LENGTH, 4]);
        assert!(!read.concat().contains('y'));
    }
}
