//! What was received and sent, counted as RTP statistics want it (RFC 3550 §6.4, appendix A).

use std::time::Instant;

use crate::api::CodecName;

/// What has arrived, over all streams of the connection.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Received {
    /// Packets, telephone events included.
    pub packets: u64,
    /// Payload bytes.
    pub bytes: u64,
    /// Packets that should have come and did not; may shrink when late ones come after all.
    pub lost: i64,
    /// Inter-arrival jitter in seconds (RFC 3550 §6.4.1).
    pub jitter_s: f64,
    /// Codec of the newest sound packet.
    pub codec: Option<CodecName>,
}

/// What has been sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// Packets, telephone events included.
    pub packets: u64,
    /// Payload bytes.
    pub bytes: u64,
    /// Codec of the newest sound packet.
    pub codec: Option<CodecName>,
}

/// Keeps [`Received`] up to date.
#[derive(Debug, Default)]
pub(super) struct ReceiveCounter {
    totals: Received,
    stream: Option<Stream>,
    /// Losses of streams that are over.
    lost_before: i64,
}

#[derive(Debug)]
struct Stream {
    ssrc: u32,
    first: u64,
    newest: u64,
    packets: u64,
    /// Arrival minus RTP time of the newest sound packet, in seconds, and its codec: jitter compares
    /// packets of one clock only.
    transit: Option<(f64, CodecName)>,
}

impl ReceiveCounter {
    /// Counts one packet. `sound` has the codec and the extended RTP timestamp of packets that carry sound.
    pub(super) fn count(
        &mut self,
        ssrc: u32,
        sequence: u64,
        bytes: usize,
        sound: Option<(CodecName, u64)>,
        arrival: Instant,
        origin: Instant,
    ) {
        if self.stream.as_ref().is_none_or(|stream| stream.ssrc != ssrc) {
            self.lost_before = self.totals.lost;
            self.stream = Some(Stream { ssrc, first: sequence, newest: sequence, packets: 0, transit: None });
        }
        let Some(stream) = &mut self.stream else { return };
        stream.packets += 1;
        stream.first = stream.first.min(sequence);
        stream.newest = stream.newest.max(sequence);
        self.totals.packets += 1;
        self.totals.bytes += bytes as u64;
        let expected = stream.newest - stream.first + 1;
        self.totals.lost = self.lost_before + i64::try_from(expected).unwrap_or(i64::MAX)
            - i64::try_from(stream.packets).unwrap_or(i64::MAX);
        if let Some((codec, timestamp)) = sound {
            let arrived = arrival.saturating_duration_since(origin).as_secs_f64();
            let transit = arrived - timestamp as f64 / f64::from(codec.clock_rate());
            if let Some((previous, _)) = stream.transit.filter(|(_, known)| *known == codec) {
                self.totals.jitter_s += ((transit - previous).abs() - self.totals.jitter_s) / 16.0;
            }
            stream.transit = Some((transit, codec));
            self.totals.codec = Some(codec);
        }
    }

    pub(super) fn totals(&self) -> Received {
        self.totals
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn feed(counter: &mut ReceiveCounter, ssrc: u32, sequences: &[u64], delay_ms: impl Fn(u64) -> u64) {
        let origin = Instant::now();
        for &sequence in sequences {
            let arrival = origin + Duration::from_millis(sequence * 20 + delay_ms(sequence));
            counter.count(
                ssrc,
                sequence,
                80,
                Some((CodecName::Opus, 5_000 + sequence * 960)),
                arrival,
                origin,
            );
        }
    }

    #[test]
    fn losses_are_what_is_missing_between_first_and_newest() {
        let mut counter = ReceiveCounter::default();
        feed(&mut counter, 1, &[10, 11, 13, 12, 17], |_| 0);
        assert_eq!((counter.totals().packets, counter.totals().bytes, counter.totals().lost), (5, 400, 3));
        feed(&mut counter, 1, &[14], |_| 0);
        assert_eq!(counter.totals().lost, 2, "a late packet takes its loss back");
        feed(&mut counter, 2, &[60_000, 60_002], |_| 0);
        assert_eq!(counter.totals().lost, 3, "another stream adds its own");
    }

    #[test]
    fn jitter_is_zero_for_a_steady_stream_and_grows_with_the_swing() {
        let all: Vec<u64> = (0..500).collect();
        let mut steady = ReceiveCounter::default();
        feed(&mut steady, 1, &all, |_| 7);
        assert!(steady.totals().jitter_s < 1e-6);
        let mut swinging = ReceiveCounter::default();
        feed(&mut swinging, 1, &all, |sequence| if sequence % 2 == 0 { 0 } else { 10 });
        assert!((swinging.totals().jitter_s - 0.010).abs() < 0.001, "{}", swinging.totals().jitter_s);
    }
}
