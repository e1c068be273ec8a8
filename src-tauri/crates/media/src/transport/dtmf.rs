//! RFC 4733 telephone events: the packets of a key press, and key presses from packets.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The event code of a key (RFC 4733 §3.2).
fn event_code(digit: char) -> Option<u8> {
    let position = EVENTS.iter().position(|&known| known == digit.to_ascii_uppercase())?;
    u8::try_from(position).ok()
}

/// Keys in the order of their event codes.
const EVENTS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D'];

/// −10 dBm0, what browsers send.
const VOLUME: u8 = 10;
/// A packet every 20 ms while a key is down.
const UPDATE: Duration = Duration::from_millis(20);
/// The last packet goes out three times (RFC 4733 §2.5.1.4).
const END_PACKETS: u8 = 3;
/// `,` in a tone string (W3C `insertDTMF`).
const PAUSE: Duration = Duration::from_secs(2);

/// Limits of W3C `insertDTMF`.
const DURATION: std::ops::RangeInclusive<u32> = 40..=6_000;
const SHORTEST_GAP_MS: u32 = 30;

/// One packet to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EventPacket {
    pub(super) timestamp: u32,
    /// Set on the first packet of a key.
    pub(super) marker: bool,
    pub(super) payload: [u8; 4],
}

/// Plays a string of keys as packets. Time comes from outside.
#[derive(Debug, Default)]
pub(super) struct EventSender {
    tones: VecDeque<char>,
    duration: Duration,
    gap: Duration,
    current: Option<Playing>,
    /// When the next key may begin.
    next_key_at: Option<Instant>,
    /// RTP time at which the last key ended: the next may not begin before it, even if no sound moves the clock on.
    free_from: Option<u32>,
}

#[derive(Debug)]
struct Playing {
    code: u8,
    /// RTP time of the segment's start; a long press has several (RFC 4733 §2.5.1.3).
    timestamp: u32,
    /// Length of the segments that are over, in RTP time.
    before: u32,
    started: Instant,
    next_at: Instant,
    first: bool,
    ends_sent: u8,
}

impl EventSender {
    /// Replaces what is still to be played by `tones`: `0-9*#A-D`, and `,` for a pause of two seconds.
    /// Other characters are passed over. A key that sounds now is finished first.
    pub(super) fn insert(&mut self, tones: &str, duration_ms: u32, gap_ms: u32, now: Instant) {
        self.tones = tones.chars().filter(|&tone| tone == ',' || event_code(tone).is_some()).collect();
        self.duration = Duration::from_millis(duration_ms.clamp(*DURATION.start(), *DURATION.end()).into());
        self.gap = Duration::from_millis(gap_ms.max(SHORTEST_GAP_MS).into());
        if self.current.is_none() && self.next_key_at.is_none() {
            self.next_key_at = Some(now);
        }
    }

    /// When [`EventSender::poll`] has something to do next.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match &self.current {
            Some(playing) => Some(playing.next_at),
            None if self.tones.is_empty() => None,
            None => self.next_key_at,
        }
    }

    /// The packet that is due at `now`, if one is. `clock_rate` is the event's RTP clock in Hz and
    /// `audio_timestamp` where the sound stands on it, which is where a new key begins.
    pub(super) fn poll(
        &mut self,
        now: Instant,
        clock_rate: u32,
        audio_timestamp: u32,
    ) -> Option<EventPacket> {
        if self.current.is_none() {
            self.begin_key(now, audio_timestamp);
        }
        let playing = self.current.as_mut().filter(|playing| playing.next_at <= now)?;
        let elapsed = (playing.next_at - playing.started + UPDATE).min(self.duration);
        let mut units = units(elapsed, clock_rate) - playing.before;
        let mut end = elapsed == self.duration;
        if units > u32::from(u16::MAX) {
            // The 16-bit length is full: close this segment and go on in the next packet at once.
            units = u16::MAX.into();
            end = false;
        }
        #[expect(clippy::cast_possible_truncation, reason = "limited above")]
        let [high, low] = (units as u16).to_be_bytes();
        let flags = if end { 0x80 } else { 0 };
        let packet = EventPacket {
            timestamp: playing.timestamp,
            marker: playing.first,
            payload: [playing.code, flags | VOLUME, high, low],
        };
        playing.first = false;
        if units == u32::from(u16::MAX) {
            playing.timestamp = playing.timestamp.wrapping_add(units);
            playing.before += units;
        } else {
            playing.next_at += UPDATE;
        }
        if end {
            playing.ends_sent += 1;
            if playing.ends_sent == END_PACKETS {
                self.next_key_at = Some(playing.started + self.duration + self.gap);
                self.free_from = Some(packet.timestamp.wrapping_add(units));
                self.current = None;
            }
        }
        Some(packet)
    }

    fn begin_key(&mut self, now: Instant, audio_timestamp: u32) {
        if self.next_key_at.is_some_and(|at| at > now) {
            return;
        }
        match self.tones.pop_front() {
            Some(',') => self.next_key_at = Some(now + PAUSE),
            Some(tone) => {
                let Some(code) = event_code(tone) else { return };
                self.next_key_at = None;
                self.current = Some(Playing {
                    code,
                    // RTP time wraps, so "later" means less than half a turn ahead.
                    timestamp: self
                        .free_from
                        .filter(|end| audio_timestamp.wrapping_sub(*end) > u32::MAX / 2)
                        .unwrap_or(audio_timestamp),
                    before: 0,
                    started: now,
                    next_at: now,
                    first: true,
                    ends_sent: 0,
                });
            }
            None => self.next_key_at = None,
        }
    }
}

/// RTP time units of `elapsed`.
fn units(elapsed: Duration, clock_rate: u32) -> u32 {
    let units = elapsed.as_micros() * u128::from(clock_rate) / 1_000_000;
    u32::try_from(units).unwrap_or(u32::MAX)
}

/// Turns packets back into keys: one for each press, however many packets it took.
#[derive(Debug, Default)]
pub(super) struct EventReceiver {
    last: Option<Heard>,
}

#[derive(Debug)]
struct Heard {
    code: u8,
    timestamp: u64,
    /// The longest length seen, in RTP time.
    units: u16,
    ended: bool,
}

impl EventReceiver {
    /// Takes a packet with its extended RTP timestamp; answers with a key when a press begins.
    ///
    /// The press is reported with its first packet, so a lost end does not lose the key.
    pub(super) fn receive(&mut self, timestamp: u64, payload: &[u8]) -> Option<char> {
        let [code, flags, high, low, ..] = *payload else { return None };
        let digit = *EVENTS.get(usize::from(code))?;
        let (ended, units) = (flags & 0x80 != 0, u16::from_be_bytes([high, low]));
        if let Some(last) = &mut self.last {
            if timestamp < last.timestamp {
                return None;
            }
            if timestamp == last.timestamp {
                last.units = last.units.max(units);
                last.ended |= ended;
                return None;
            }
            // A further segment of a long press begins exactly where the full one ended.
            let continues =
                code == last.code && !last.ended && timestamp == last.timestamp + u64::from(u16::MAX);
            *last = Heard { code, timestamp, units, ended };
            return (!continues).then_some(digit);
        }
        self.last = Some(Heard { code, timestamp, units, ended });
        Some(digit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every packet of a string of keys with its time in ms, the sound's clock running along.
    fn play(tones: &str, duration_ms: u32, gap_ms: u32, clock_rate: u32) -> Vec<(u64, EventPacket)> {
        let start = Instant::now();
        let mut sender = EventSender::default();
        sender.insert(tones, duration_ms, gap_ms, start);
        let mut packets = Vec::new();
        while let Some(at) = sender.deadline() {
            let ms = (at - start).as_millis();
            let timestamp = u32::try_from(ms * u128::from(clock_rate) / 1_000).unwrap_or(0);
            if let Some(packet) = sender.poll(at, clock_rate, timestamp) {
                packets.push((u64::try_from(ms).unwrap_or(0), packet));
            }
        }
        packets
    }

    fn hear(packets: &[(u64, EventPacket)]) -> String {
        let mut receiver = EventReceiver::default();
        packets
            .iter()
            .filter_map(|(_, packet)| receiver.receive(packet.timestamp.into(), &packet.payload))
            .collect()
    }

    #[test]
    fn a_key_of_160_ms_is_eight_steps_and_three_ends() {
        let packets = play("5", 160, 70, 8_000);
        assert_eq!(packets.len(), 10);
        assert!(packets[0].1.marker && packets[1..].iter().all(|(_, packet)| !packet.marker));
        assert!(packets.iter().all(|(_, packet)| packet.timestamp == 0 && packet.payload[0] == 5));
        let lengths: Vec<u16> =
            packets.iter().map(|(_, p)| u16::from_be_bytes([p.payload[2], p.payload[3]])).collect();
        assert_eq!(lengths, [160, 320, 480, 640, 800, 960, 1_120, 1_280, 1_280, 1_280]);
        let ends: Vec<bool> = packets.iter().map(|(_, p)| p.payload[1] & 0x80 != 0).collect();
        assert_eq!(ends.iter().filter(|end| **end).count(), 3);
        assert!(ends[7..].iter().all(|end| *end));
    }

    #[test]
    fn keys_keep_their_distance_and_commas_wait() {
        let starts = |tones| -> Vec<u64> {
            play(tones, 100, 70, 48_000).iter().filter(|(_, p)| p.marker).map(|(at, _)| *at).collect()
        };
        assert_eq!(starts("123"), [0, 170, 340]);
        assert_eq!(starts("1,2"), [0, 2_170]);
        assert_eq!(starts(",w?x"), Vec::<u64>::new());
    }

    #[test]
    fn every_key_comes_back_once_even_with_losses_and_doubles() {
        let keys = "0123456789*#ABCD11";
        let packets = play(keys, 160, 70, 48_000);
        assert_eq!(hear(&packets), keys);
        let lossy: Vec<_> = packets
            .iter()
            .enumerate()
            .filter(|(index, _)| index % 3 != 0)
            .flat_map(|(_, p)| [p.clone(), p.clone()])
            .collect();
        assert_eq!(hear(&lossy), keys);
        let mut reordered = packets;
        reordered.swap(9, 10);
        assert_eq!(hear(&reordered), keys);
    }

    #[test]
    fn a_press_longer_than_16_bits_is_one_key() {
        let packets = play("7", 3_000, 70, 48_000);
        assert_eq!(hear(&packets), "7");
        let segments: std::collections::BTreeSet<u32> = packets.iter().map(|(_, p)| p.timestamp).collect();
        assert_eq!(segments.into_iter().collect::<Vec<_>>(), [0, 65_535, 131_070]);
    }

    #[test]
    fn a_new_string_replaces_the_old_after_the_sounding_key() {
        let start = Instant::now();
        let mut sender = EventSender::default();
        sender.insert("123", 100, 70, start);
        let mut heard = EventReceiver::default();
        let mut keys = String::new();
        let mut replaced = false;
        while let Some(at) = sender.deadline() {
            if let Some(packet) =
                sender.poll(at, 8_000, u32::try_from((at - start).as_millis() * 8).unwrap_or(0))
            {
                keys.extend(heard.receive(packet.timestamp.into(), &packet.payload));
            }
            if !replaced && at - start >= Duration::from_millis(200) {
                replaced = true;
                sender.insert("9", 100, 70, at);
            }
        }
        assert_eq!(keys, "129");
    }

    #[test]
    fn keys_differ_even_when_no_sound_moves_the_clock() {
        let start = Instant::now();
        let (mut sender, mut receiver) = (EventSender::default(), EventReceiver::default());
        sender.insert("55", 100, 70, start);
        let mut keys = String::new();
        while let Some(at) = sender.deadline() {
            if let Some(packet) = sender.poll(at, 8_000, u32::MAX - 10) {
                let extended = u64::from(packet.timestamp.wrapping_add(1_000));
                keys.extend(receiver.receive(extended, &packet.payload));
            }
        }
        assert_eq!(keys, "55");
    }

    #[test]
    fn rubbish_is_no_key() {
        let mut receiver = EventReceiver::default();
        assert_eq!(receiver.receive(1, &[]), None);
        assert_eq!(receiver.receive(1, &[5, 10]), None);
        assert_eq!(receiver.receive(1, &[200, 10, 0, 160]), None);
    }
}
