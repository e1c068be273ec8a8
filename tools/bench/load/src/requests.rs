//! The requests of one load, made before it begins: what the tool does between two answers then costs it
//! a microsecond or two, where signing costs several.

use crate::twilio::{Kind, Twilio};

/// Requests with ascending numbers. Those that were made ahead stand one behind the other in memory;
/// when they have run out, each is made when it is wanted.
pub(crate) struct Requests<'a> {
    twilio: &'a Twilio,
    kind: Kind,
    seed: u64,
    made: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<usize>,
    next: usize,
    /// The latest that was made when it was wanted.
    late: Vec<u8>,
}

impl<'a> Requests<'a> {
    /// Makes the first `count` of them.
    pub(crate) fn ahead(twilio: &'a Twilio, kind: Kind, seed: u64, count: usize) -> Self {
        let mut request = Vec::new();
        let (mut made, mut ends) = (Vec::new(), Vec::with_capacity(count));
        for number in 0..count {
            twilio.write(kind, seed, number as u64, &mut request);
            // All of a kind are about as long.
            if number == 0 {
                made.reserve(count * (request.len() + 16));
            }
            made.extend_from_slice(&request);
            ends.push(made.len());
        }
        Self { twilio, kind, seed, made, ends, next: 0, late: request }
    }

    /// The next one.
    pub(crate) fn next(&mut self) -> &[u8] {
        let number = self.next;
        self.next += 1;
        if let Some(end) = self.ends.get(number).copied() {
            let start = if number == 0 { 0 } else { self.ends[number - 1] };
            return &self.made[start..end];
        }
        self.twilio.write(self.kind, self.seed, number as u64, &mut self.late);
        &self.late
    }

    /// How many were taken.
    pub(crate) fn taken(&self) -> usize {
        self.next
    }

    /// How many of these were not made ahead.
    pub(crate) fn made_late(&self) -> usize {
        self.next.saturating_sub(self.ends.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_made_ahead_and_those_made_late_are_one_sequence() {
        let twilio = Twilio::fictitious();
        let mut requests = Requests::ahead(&twilio, Kind::Status, 7, 5);
        let mut expected = Vec::new();
        for number in 0..8 {
            twilio.write(Kind::Status, 7, number, &mut expected);
            assert_eq!(requests.next(), expected, "{number}");
        }
        assert_eq!((requests.taken(), requests.made_late()), (8, 3));
    }
}
