//! The jitter buffer: packets in as the network brings them, frames out every 20 ms.
//!
//! Positions are RTP time in 48 kHz samples, not sequence numbers, because telephone-event packets
//! share the sequence numbers and carry no sound.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};

use crate::codec::{CodecError, CodecName, Decoder, FRAME_SAMPLES, Frame, SAMPLE_RATE, SILENCE};

/// One packet of sound as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioPacket {
    /// What the payload is coded with.
    pub codec: CodecName,
    /// Whose packet it is; another value means another stream, which starts afresh.
    pub ssrc: u32,
    /// Extended RTP sequence number.
    pub sequence: u64,
    /// Extended RTP timestamp, in the codec's clock.
    pub timestamp: u64,
    /// The coded sound.
    pub payload: Vec<u8>,
}

/// How patient the buffer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JitterOptions {
    /// Frames of 20 ms that wait before playing begins: what a late packet may be late by.
    pub target_frames: usize,
    /// Frames above which the oldest are thrown away at once.
    pub limit_frames: usize,
}

impl Default for JitterOptions {
    fn default() -> Self {
        Self { target_frames: 3, limit_frames: 20 }
    }
}

/// What happened to the packets and frames so far. Counts only grow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JitterCounts {
    /// Packets that were decoded in their turn.
    pub played: u64,
    /// Frames rebuilt from the copy in the next packet.
    pub fec: u64,
    /// Samples (48 kHz) made up because no packet came.
    pub concealed_samples: u64,
    /// Packets that came after their turn.
    pub late: u64,
    /// Packets that came twice.
    pub duplicates: u64,
    /// Packets whose sound was skipped because too much was waiting.
    pub discarded: u64,
    /// Packets no decoder could read.
    pub malformed: u64,
}

/// Frames made up in a row before the far end counts as silent and waiting begins again: 100 ms.
const MAX_CONCEALED: usize = 5;
/// A jump of the timestamp by more than this is a new stream: two seconds.
const MAX_JUMP: u64 = 2 * SAMPLE_RATE as u64;
/// Frames after which an over-full buffer gives one back: two seconds.
const DRIFT_WINDOW: usize = 100;

/// Orders packets, waits for the late ones, and makes up for the missing.
///
/// The waiting time is fixed by [`JitterOptions`]. It grows by a frame when the buffer runs dry (the
/// far end's clock is slow, or packets are later than planned) and shrinks by one when more than
/// planned has been waiting for two seconds (its clock is fast).
#[derive(Debug)]
pub struct JitterBuffer {
    options: JitterOptions,
    decoder: Option<Decoder>,
    ssrc: u32,
    /// Waiting packets by position, with their length in samples.
    waiting: BTreeMap<u64, (Vec<u8>, usize)>,
    /// Position of the next sample to decode; `None` while waiting for enough to begin.
    next: Option<u64>,
    /// Decoded samples not yet played.
    ready: VecDeque<i16>,
    concealed_in_a_row: usize,
    /// The least that was waiting during the current drift window, in samples, and how long it has run.
    least_waiting: usize,
    window: usize,
    counts: JitterCounts,
}

impl JitterBuffer {
    /// An empty buffer.
    pub fn new(options: JitterOptions) -> Self {
        Self {
            options,
            decoder: None,
            ssrc: 0,
            waiting: BTreeMap::new(),
            next: None,
            ready: VecDeque::with_capacity(4 * FRAME_SAMPLES),
            concealed_in_a_row: 0,
            least_waiting: usize::MAX,
            window: 0,
            counts: JitterCounts::default(),
        }
    }

    /// What happened so far.
    pub fn counts(&self) -> JitterCounts {
        self.counts
    }

    /// Samples (48 kHz) that wait to be played.
    pub fn waiting_samples(&self) -> usize {
        self.ready.len() + self.waiting.values().map(|(_, samples)| samples).sum::<usize>()
    }

    /// Takes a packet from the network. Fails only if a decoder cannot be made.
    pub fn push(&mut self, packet: AudioPacket) -> Result<(), CodecError> {
        let Some(samples) = Decoder::packet_samples(packet.codec, &packet.payload) else {
            self.counts.malformed += 1;
            return Ok(());
        };
        let position = packet.timestamp * u64::from(SAMPLE_RATE / packet.codec.clock_rate());
        let same_codec = self.decoder.as_ref().is_some_and(|decoder| decoder.codec() == packet.codec);
        let reference = self.next.or_else(|| self.waiting.keys().next().copied());
        let jumped = reference.is_some_and(|reference| reference.abs_diff(position) > MAX_JUMP);
        if !same_codec || packet.ssrc != self.ssrc || jumped {
            self.decoder = Some(Decoder::new(packet.codec)?);
            self.ssrc = packet.ssrc;
            self.waiting.clear();
            self.start_over();
        }
        if self.next.is_some_and(|next| position < next) {
            self.counts.late += 1;
            return Ok(());
        }
        match self.waiting.entry(position) {
            Entry::Occupied(_) => self.counts.duplicates += 1,
            Entry::Vacant(place) => {
                place.insert((packet.payload, samples));
                self.enforce_limit();
            }
        }
        Ok(())
    }

    /// The next 20 ms. Silence before the first packet and after the far end has fallen silent.
    pub fn pop(&mut self) -> Frame {
        if self.next.is_none() && !self.begin() {
            return self.take();
        }
        self.correct_drift();
        while self.ready.len() < FRAME_SAMPLES {
            if !self.decode_next() {
                break;
            }
        }
        self.take()
    }

    /// Begins to play once enough is waiting.
    fn begin(&mut self) -> bool {
        let enough = self.waiting.values().map(|(_, samples)| samples).sum::<usize>()
            >= self.options.target_frames.max(1) * FRAME_SAMPLES;
        if enough {
            self.next = self.waiting.keys().next().copied();
            self.concealed_in_a_row = 0;
        }
        enough
    }

    fn start_over(&mut self) {
        self.next = None;
        self.least_waiting = usize::MAX;
        self.window = 0;
    }

    /// Decodes or makes up the sound at the current position; `false` when there is nothing more to play.
    fn decode_next(&mut self) -> bool {
        let (Some(next), Some(decoder)) = (self.next, self.decoder.as_mut()) else {
            return false;
        };
        let mut sound = Vec::with_capacity(FRAME_SAMPLES);
        if let Some((payload, samples)) = self.waiting.remove(&next) {
            if decoder.decode(&payload, &mut sound).is_ok() {
                self.counts.played += 1;
                self.concealed_in_a_row = 0;
            } else {
                self.counts.malformed += 1;
                decoder.decode_lost(&mut sound);
            }
            self.next = Some(next + samples as u64);
            self.ready.extend(sound);
            return true;
        }
        match self.waiting.first_key_value() {
            // The packet after the missing one is here and may hold its copy.
            Some((&position, (payload, _))) if position == next + FRAME_SAMPLES as u64 => {
                if decoder.decode_fec(payload, &mut sound) {
                    self.counts.fec += 1;
                } else {
                    self.counts.concealed_samples += sound.len() as u64;
                }
                self.next = Some(position);
            }
            // Less than a frame is missing: packets were cut differently after a restart of the sender.
            Some((&position, _)) if position < next + FRAME_SAMPLES as u64 => self.next = Some(position),
            Some(_) => {
                decoder.decode_lost(&mut sound);
                self.counts.concealed_samples += sound.len() as u64;
                self.next = Some(next + FRAME_SAMPLES as u64);
            }
            // Nothing at all is waiting. The position stays, so the packet still counts when it comes
            // and the waiting time has grown by the frame made up here.
            None => {
                if self.concealed_in_a_row >= MAX_CONCEALED {
                    self.start_over();
                    return false;
                }
                self.concealed_in_a_row += 1;
                decoder.decode_lost(&mut sound);
                self.counts.concealed_samples += sound.len() as u64;
            }
        }
        self.ready.extend(sound);
        true
    }

    /// Gives a frame back when more than planned has been waiting all through the window.
    fn correct_drift(&mut self) {
        self.least_waiting = self.least_waiting.min(self.waiting_samples());
        self.window += 1;
        if self.window < DRIFT_WINDOW {
            return;
        }
        // One frame is just about to be played, so it is not part of the waiting time.
        let planned = (self.options.target_frames.max(1) + 1) * FRAME_SAMPLES;
        if self.least_waiting > planned {
            self.skip_one();
        }
        self.least_waiting = usize::MAX;
        self.window = 0;
    }

    /// Melts two frames into one: the first fades out while the second fades in.
    fn skip_one(&mut self) {
        while self.ready.len() < 2 * FRAME_SAMPLES {
            if !self.decode_next() {
                return;
            }
        }
        for index in 0..FRAME_SAMPLES {
            let share = index as f32 / FRAME_SAMPLES as f32;
            let (old, new) = (f32::from(self.ready[index]), f32::from(self.ready[index + FRAME_SAMPLES]));
            self.ready[index + FRAME_SAMPLES] = crate::resample::to_sample(old * (1.0 - share) + new * share);
        }
        self.ready.drain(..FRAME_SAMPLES);
        self.counts.discarded += 1;
    }

    /// After a stall of this computer the backlog goes in one step.
    fn enforce_limit(&mut self) {
        if self.waiting_samples() <= self.options.limit_frames * FRAME_SAMPLES {
            return;
        }
        while self.waiting_samples() > self.options.target_frames.max(1) * FRAME_SAMPLES
            && self.waiting.len() > 1
        {
            self.waiting.pop_first();
            self.counts.discarded += 1;
        }
        if self.next.is_some() {
            self.next = self.waiting.keys().next().copied();
        }
    }

    fn take(&mut self) -> Frame {
        let mut frame = SILENCE;
        let count = self.ready.len().min(FRAME_SAMPLES);
        for (sample, ready) in frame.iter_mut().zip(self.ready.drain(..count)) {
            *sample = ready;
        }
        frame
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use crate::codec::Encoder;
    use crate::signal::{SignalMeter, SignalReport, Tone, speech_like};

    fn packets(codec: CodecName, count: usize) -> Vec<AudioPacket> {
        let mut tone = Tone::new(400.0, -12.0);
        packets_of(codec, count, || tone.next_frame())
    }

    fn packets_of(codec: CodecName, count: usize, mut sound: impl FnMut() -> Frame) -> Vec<AudioPacket> {
        let mut encoder = Encoder::new(codec).unwrap();
        (0..count as u64)
            .map(|index| AudioPacket {
                codec,
                ssrc: 1,
                sequence: 500 + index,
                timestamp: 77_777 + index * u64::from(codec.ticks_per_frame()),
                payload: encoder.encode(&sound()).unwrap(),
            })
            .collect()
    }

    /// Brings the packets of each tick, then plays one frame.
    fn play(buffer: &mut JitterBuffer, ticks: &[Vec<AudioPacket>]) -> SignalReport {
        let mut meter = SignalMeter::new();
        for tick in ticks {
            for packet in tick {
                buffer.push(packet.clone()).unwrap();
            }
            meter.feed(&buffer.pop());
        }
        meter.report()
    }

    fn one_by_one(packets: &[AudioPacket]) -> Vec<Vec<AudioPacket>> {
        packets.iter().map(|packet| vec![packet.clone()]).collect()
    }

    #[test]
    fn a_calm_network_plays_every_packet() {
        for codec in [CodecName::Opus, CodecName::Pcmu] {
            let mut buffer = JitterBuffer::new(JitterOptions::default());
            let report = play(&mut buffer, &one_by_one(&packets(codec, 200)));
            assert_eq!(report.dropouts, 0);
            assert!((report.dominant.unwrap().hz - 400.0).abs() < 1.0);
            let counts = buffer.counts();
            assert_eq!(counts, JitterCounts { played: 198, ..JitterCounts::default() }, "{codec:?}");
            assert_eq!(buffer.waiting_samples(), 2 * FRAME_SAMPLES);
        }
    }

    #[test]
    fn swapped_doubled_and_bunched_packets_do_no_harm() {
        let sent = packets(CodecName::Opus, 200);
        let mut ticks = one_by_one(&sent);
        for index in (20..180).step_by(10) {
            ticks.swap(index, index + 1);
            let again = ticks[index + 4].clone();
            ticks[index + 4].extend(again);
            // Two frames late, together with the next two.
            let held = std::mem::take(&mut ticks[index + 6]);
            ticks[index + 8].extend(held);
        }
        let mut buffer = JitterBuffer::new(JitterOptions::default());
        let report = play(&mut buffer, &ticks);
        assert_eq!(report.dropouts, 0);
        let counts = buffer.counts();
        assert_eq!(
            (counts.duplicates, counts.late, counts.concealed_samples, counts.fec),
            (16, 0, 0, 0),
            "{counts:?}"
        );
    }

    #[test]
    fn a_lost_packet_is_made_up_and_keeps_time() {
        for codec in [CodecName::Opus, CodecName::Pcmu] {
            let mut ticks = one_by_one(&packets(codec, 100));
            ticks[50].clear();
            let mut buffer = JitterBuffer::new(JitterOptions::default());
            play(&mut buffer, &ticks);
            let counts = buffer.counts();
            assert_eq!(
                counts.fec * FRAME_SAMPLES as u64 + counts.concealed_samples,
                FRAME_SAMPLES as u64,
                "{codec:?}"
            );
            assert_eq!(counts.played, 97);
            assert_eq!(buffer.waiting_samples(), 2 * FRAME_SAMPLES, "nothing shifted");
        }
    }

    #[test]
    fn speech_comes_back_from_the_copy_in_the_next_packet() {
        let mut ticks = one_by_one(&packets_of(CodecName::Opus, 300, speech_like()));
        (20..290).step_by(10).for_each(|index| ticks[index].clear());
        let mut buffer = JitterBuffer::new(JitterOptions::default());
        play(&mut buffer, &ticks);
        let counts = buffer.counts();
        assert!(counts.fec >= 15, "of 27: {counts:?}");
        assert_eq!(counts.fec + counts.concealed_samples / FRAME_SAMPLES as u64, 27, "{counts:?}");
    }

    #[test]
    fn a_packet_after_its_turn_is_late() {
        let sent = packets(CodecName::Opus, 100);
        let mut ticks = one_by_one(&sent);
        let held = std::mem::take(&mut ticks[50]);
        ticks[60].extend(held);
        let mut buffer = JitterBuffer::new(JitterOptions::default());
        play(&mut buffer, &ticks);
        assert_eq!(buffer.counts().late, 1);
    }

    #[test]
    fn a_pause_ends_in_silence_and_sound_comes_back() {
        let sent = packets(CodecName::Opus, 100);
        let mut ticks = one_by_one(&sent[..50]);
        ticks.extend(std::iter::repeat_n(Vec::new(), 50));
        ticks.extend(one_by_one(&sent[50..]));
        let mut buffer = JitterBuffer::new(JitterOptions::default());
        let mut last_of_pause = Vec::new();
        for (index, tick) in ticks.iter().enumerate() {
            for packet in tick {
                buffer.push(packet.clone()).unwrap();
            }
            let frame = buffer.pop();
            if index == 99 {
                last_of_pause = frame.to_vec();
            }
        }
        assert_eq!(last_of_pause, SILENCE);
        assert_eq!(buffer.counts().concealed_samples, (MAX_CONCEALED * FRAME_SAMPLES) as u64);
        assert_eq!(buffer.counts().played, 48 + 2 + 48);
    }

    #[test]
    fn clocks_that_differ_neither_overflow_nor_run_dry() {
        let sent = packets(CodecName::Opus, 3_000);
        // One packet in 200 more than frames played: a sender 0.5 % fast.
        let mut fast = JitterBuffer::new(JitterOptions::default());
        let mut ticks = one_by_one(&sent[..2_000]);
        let mut rest = sent[2_000..].iter();
        ticks.clear();
        let mut all = sent[..2_000].iter().chain(rest.by_ref());
        for index in 0..2_400 {
            let count = if index % 200 == 199 { 2 } else { 1 };
            ticks.push(all.by_ref().take(count).cloned().collect());
        }
        let report = play(&mut fast, &ticks);
        assert!(fast.waiting_samples() <= 6 * FRAME_SAMPLES, "{}", fast.waiting_samples());
        assert!(fast.counts().discarded >= 8, "{:?}", fast.counts());
        assert_eq!(report.dropouts, 0);
        // And one frame more than packets: 0.5 % slow.
        let mut slow = JitterBuffer::new(JitterOptions::default());
        let mut all = sent.iter();
        let ticks: Vec<Vec<AudioPacket>> = (0..2_400)
            .map(|index| all.by_ref().take(usize::from(index % 200 != 199)).cloned().collect())
            .collect();
        play(&mut slow, &ticks);
        assert!(slow.counts().concealed_samples <= 14 * FRAME_SAMPLES as u64, "{:?}", slow.counts());
        assert_eq!(slow.counts().late, 0);
    }

    #[test]
    fn a_backlog_after_a_stall_is_cut_at_once() {
        let sent = packets(CodecName::Opus, 100);
        let mut ticks = one_by_one(&sent[..30]);
        ticks.push(sent[30..80].to_vec());
        ticks.extend(one_by_one(&sent[80..]));
        let mut buffer = JitterBuffer::new(JitterOptions::default());
        play(&mut buffer, &ticks);
        assert!(buffer.waiting_samples() <= 20 * FRAME_SAMPLES, "{}", buffer.waiting_samples());
        assert!(buffer.counts().discarded >= 20);
    }

    #[test]
    fn another_stream_another_codec_or_a_jump_in_time_starts_afresh() {
        let mut buffer = JitterBuffer::new(JitterOptions::default());
        let first = packets(CodecName::Opus, 30);
        let second: Vec<_> = packets(CodecName::Opus, 30)
            .into_iter()
            .map(|packet| AudioPacket { ssrc: 2, timestamp: packet.timestamp + 4_000_000_000, ..packet })
            .collect();
        let third = packets(CodecName::Pcmu, 30);
        let mut ticks = one_by_one(&first);
        ticks.extend(one_by_one(&second));
        ticks.extend(one_by_one(&third));
        play(&mut buffer, &ticks);
        assert_eq!(buffer.counts().played, 3 * 28);
        assert_eq!(buffer.counts().late, 0);
    }

    #[test]
    fn packets_of_other_lengths_and_rubbish_are_taken_in_stride() {
        let mut buffer = JitterBuffer::new(JitterOptions { target_frames: 2, limit_frames: 20 });
        for index in 0..20 {
            let packet = AudioPacket {
                codec: CodecName::Pcmu,
                ssrc: 1,
                sequence: index,
                timestamp: index * 240,
                payload: vec![0xd5; 240],
            };
            buffer.push(packet).unwrap();
            buffer
                .push(AudioPacket {
                    codec: CodecName::Pcmu,
                    ssrc: 1,
                    sequence: 0,
                    timestamp: 0,
                    payload: Vec::new(),
                })
                .unwrap();
            buffer.pop();
            if index % 2 == 1 {
                buffer.pop();
            }
        }
        let counts = buffer.counts();
        assert_eq!((counts.malformed, counts.concealed_samples, counts.late), (20, 0, 0), "{counts:?}");
        assert!(counts.played >= 17, "{counts:?}");
    }
}
