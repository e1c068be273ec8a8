//! Sound files: reading those `<Play>` may fetch, writing those of recordings.

use dialer_media::codec::SAMPLE_RATE;
use dialer_media::resample::Resampler;
use dialer_media::signal::rms_dbfs;

/// Longest recording played: five minutes.
const MOST_SECONDS: usize = 300;

/// Quieter than this is silence to whoever records or listens for speech.
const SILENCE_BELOW_DBFS: f32 = -45.0;

/// Whether nobody speaks in `samples`.
pub(crate) fn is_silent(samples: &[i16]) -> bool {
    rms_dbfs(samples) < SILENCE_BELOW_DBFS
}

/// A RIFF/WAVE file of 16-bit PCM. The channels are of one length; what is longer is cut off.
pub(crate) fn encode_wav(rate: u32, channels: &[&[i16]]) -> Vec<u8> {
    let length = channels.iter().map(|channel| channel.len()).min().unwrap_or(0);
    let count = u16::try_from(channels.len()).unwrap_or(u16::MAX);
    let block = 2 * count;
    let data = u32::try_from(length).unwrap_or(u32::MAX).saturating_mul(u32::from(block));
    let mut file = Vec::with_capacity(44 + data as usize);
    file.extend(b"RIFF");
    file.extend(data.saturating_add(36).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0");
    file.extend(count.to_le_bytes());
    file.extend(rate.to_le_bytes());
    file.extend(rate.saturating_mul(u32::from(block)).to_le_bytes());
    file.extend(block.to_le_bytes());
    file.extend(16_u16.to_le_bytes());
    file.extend(b"data");
    file.extend(data.to_le_bytes());
    for index in 0..length {
        channels.iter().for_each(|channel| file.extend(channel[index].to_le_bytes()));
    }
    file
}

/// Why a sound file cannot be played.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the file is no WAV with 16-bit PCM samples")]
pub(crate) struct NotPlayable;

/// Reads a RIFF/WAVE file of 16-bit PCM (Microsoft's "Multimedia Programming Interface and Data
/// Specifications 1.0") as 48 kHz mono; of several channels the first is taken.
pub(crate) fn decode_wav(file: &[u8]) -> Result<Vec<i16>, NotPlayable> {
    if file.get(..4) != Some(b"RIFF") || file.get(8..12) != Some(b"WAVE") {
        return Err(NotPlayable);
    }
    let mut rest = file.get(12..).unwrap_or_default();
    let mut format = None;
    while let Some((header, body)) = rest.split_at_checked(8) {
        let (id, length) = header.split_at(4);
        let length = length.try_into().map(u32::from_le_bytes).map_err(|_| NotPlayable)? as usize;
        let chunk = body.get(..length.min(body.len())).unwrap_or_default();
        match id {
            b"fmt " => format = Some(read_format(chunk)?),
            b"data" => {
                let (channels, rate) = format.ok_or(NotPlayable)?;
                let samples: Vec<i16> = chunk
                    .chunks_exact(2 * channels)
                    .map(|of_all| i16::from_le_bytes([of_all[0], of_all[1]]))
                    .take(rate as usize * MOST_SECONDS)
                    .collect();
                let mut resampled = Vec::new();
                Resampler::new(rate, SAMPLE_RATE).process(&samples, &mut resampled);
                return Ok(resampled);
            }
            _ => {}
        }
        // Chunks are padded to even lengths.
        rest = body.get(length.saturating_add(length % 2)..).unwrap_or_default();
    }
    Err(NotPlayable)
}

/// Channels and rate of a `fmt ` chunk.
fn read_format(chunk: &[u8]) -> Result<(usize, u32), NotPlayable> {
    let short =
        |at: usize| chunk.get(at..at + 2).map(|b| u16::from_le_bytes([b[0], b[1]])).ok_or(NotPlayable);
    let rate = chunk.get(4..8).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).ok_or(NotPlayable)?;
    let (tag, channels, bits) = (short(0)?, short(2)?, short(14)?);
    let readable = tag == 1 && bits == 16 && (1..=8).contains(&channels) && (4_000..=192_000).contains(&rate);
    if readable { Ok((usize::from(channels), rate)) } else { Err(NotPlayable) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;
    use dialer_media::signal::{Tone, dominant_frequency};

    fn wav(rate: u32, channels: u16, samples: &[i16]) -> Vec<u8> {
        let data: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes().repeat(channels.into())).collect();
        let mut file = b"RIFF\0\0\0\0WAVELIST\x03\0\0\0abc\0fmt \x10\0\0\0\x01\0".to_vec();
        file.extend(channels.to_le_bytes());
        file.extend(rate.to_le_bytes());
        file.extend([0; 6]);
        file.extend(16_u16.to_le_bytes());
        file.extend(b"data");
        file.extend((data.len() as u32).to_le_bytes());
        file.extend(data);
        file
    }

    #[test]
    fn telephone_and_studio_rates_keep_their_pitch() {
        for (rate, channels) in [(8_000, 1), (44_100, 2), (48_000, 1)] {
            let mut samples = vec![0; rate as usize];
            Tone::at_rate(700.0, -6.0, rate).fill(&mut samples);
            let decoded = decode_wav(&wav(rate, channels, &samples)).unwrap();
            assert!((47_000..=48_100).contains(&decoded.len()), "{rate}: {}", decoded.len());
            assert!((dominant_frequency(&decoded[4_800..]).unwrap().hz - 700.0).abs() < 3.0, "{rate}");
        }
    }

    #[test]
    fn what_is_written_can_be_read_and_says_its_shape() {
        let mut samples = vec![0; 8_000];
        Tone::at_rate(700.0, -6.0, 8_000).fill(&mut samples);
        let file = encode_wav(8_000, &[&samples, &samples[..4_000]]);
        assert_eq!(file.len(), 44 + 4_000 * 4, "the shorter channel decides");
        assert_eq!(file, wav_like(&file));
        let decoded = decode_wav(&file).unwrap();
        assert!((dominant_frequency(&decoded[4_800..]).unwrap().hz - 700.0).abs() < 3.0);
        assert_eq!(decode_wav(&encode_wav(8_000, &[&[]])), Ok(Vec::new()));
    }

    /// The same file with the sizes of its header computed anew.
    fn wav_like(file: &[u8]) -> Vec<u8> {
        let mut again = file.to_vec();
        again[4..8].copy_from_slice(&(file.len() as u32 - 8).to_le_bytes());
        again[28..32].copy_from_slice(&(8_000_u32 * 2 * 2).to_le_bytes());
        again[32..34].copy_from_slice(&4_u16.to_le_bytes());
        again[40..44].copy_from_slice(&(file.len() as u32 - 44).to_le_bytes());
        again
    }

    #[test]
    fn speech_is_told_from_silence() {
        let mut samples = vec![0; 960];
        assert!(is_silent(&samples));
        Tone::new(500.0, -50.0).fill(&mut samples);
        assert!(is_silent(&samples));
        Tone::new(500.0, -30.0).fill(&mut samples);
        assert!(!is_silent(&samples));
    }

    #[test]
    fn other_files_are_refused_at_every_length() {
        let whole = wav(8_000, 1, &[1, 2, 3]);
        for length in 0..whole.len() - 6 {
            assert!(decode_wav(&whole[..length]).is_err(), "{length}");
        }
        let mut coded = whole;
        let tag = coded.windows(4).position(|at| at == b"fmt ").unwrap() + 8;
        coded[tag] = 7;
        assert_eq!(decode_wav(&coded), Err(NotPlayable), "mu-law is not read");
    }
}
