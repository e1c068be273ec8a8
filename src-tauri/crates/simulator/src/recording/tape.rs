//! The sound of a recording.

use dialer_media::codec::{Frame, SAMPLE_RATE};
use dialer_media::resample::Resampler;

use super::RECORDING_RATE;
use crate::audio::{encode_wav, is_silent};

/// Samples of a recording in 20 ms.
const BLOCK: usize = RECORDING_RATE as usize / 50;

/// The sound so far.
pub(super) struct Tape {
    channels: Vec<Channel>,
    /// What was found when it was cut; nothing is recorded after that.
    cut: Option<Cut>,
}

/// What was found when a tape was cut.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    /// Before it was trimmed, in samples.
    pub(super) length: usize,
    pub(super) spoken: bool,
}

struct Channel {
    resampler: Resampler,
    samples: Vec<i16>,
}

impl Tape {
    pub(super) fn new(channels: usize) -> Self {
        let new = || Channel { resampler: Resampler::new(SAMPLE_RATE, RECORDING_RATE), samples: Vec::new() };
        Self { channels: (0..channels).map(|_| new()).collect(), cut: None }
    }

    pub(super) fn channels(&self) -> usize {
        self.channels.len()
    }

    /// In samples of one channel.
    pub(super) fn length(&self) -> usize {
        self.channels.first().map_or(0, |channel| channel.samples.len())
    }

    /// In all channels together.
    pub(super) fn samples(&self) -> usize {
        self.length() * self.channels.len()
    }

    /// Records 20 ms, a frame for each channel.
    pub(super) fn record(&mut self, frames: &[Frame]) {
        if self.cut.is_some() {
            return;
        }
        for (channel, frame) in self.channels.iter_mut().zip(frames) {
            channel.resampler.process(frame, &mut channel.samples);
        }
    }

    /// Ends the tape, without the silence at both ends if it is to be trimmed.
    pub(super) fn cut(&mut self, trim: bool) -> Cut {
        if let Some(cut) = self.cut {
            return cut;
        }
        let length = self.length();
        let (first, end) = self.spoken();
        if trim {
            for channel in &mut self.channels {
                channel.samples.truncate(end * BLOCK);
                channel.samples.drain(..first * BLOCK);
            }
        }
        *self.cut.insert(Cut { length, spoken: first < end })
    }

    /// The first block in which anybody speaks, and the one after the last; equal if nobody does.
    fn spoken(&self) -> (usize, usize) {
        let of_block = |channel: &Channel, block: usize| {
            let from = block * BLOCK;
            is_silent(channel.samples.get(from..from + BLOCK).unwrap_or_default())
        };
        let silent = |block: usize| self.channels.iter().all(|channel| of_block(channel, block));
        let blocks = self.length() / BLOCK;
        let first = (0..blocks).find(|block| !silent(*block)).unwrap_or(blocks);
        let end = (first..blocks).rev().find(|block| !silent(*block)).map_or(first, |last| last + 1);
        (first, end)
    }

    /// The file. Two channels can be asked for as one; one never gives two.
    pub(super) fn wav(&self, channels: Option<usize>) -> Option<Vec<u8>> {
        let recorded: Vec<&[i16]> = self.channels.iter().map(|channel| &channel.samples[..]).collect();
        match (channels, recorded.as_slice()) {
            (Some(1), [one, other]) => {
                let mixed: Vec<i16> = one.iter().zip(*other).map(|(a, b)| a.saturating_add(*b)).collect();
                Some(encode_wav(RECORDING_RATE, &[&mixed]))
            }
            (wanted, all) if wanted.is_none_or(|wanted| wanted == all.len()) => {
                Some(encode_wav(RECORDING_RATE, all))
            }
            _ => None,
        }
    }
}
