//! WAV files, as far as it must be known that Twilio can play them (Twilio, TwiML `<Play>`: `audio/wav`,
//! PCM or μ-law). Layout: Microsoft and IBM, "Multimedia Programming Interface and Data Specifications 1.0",
//! and "WAVEFORMATEXTENSIBLE".

/// Why a file is no recording that can be played, with the cure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotWav {
    /// It is something else.
    #[error("This is not a WAV file. Save the recording as WAV and choose that.")]
    Other,
    /// Its end is missing.
    #[error("The WAV file is cut short. Save the recording again.")]
    CutShort,
    /// It is compressed, or of another depth.
    #[error(
        "The WAV file is of a kind that callers cannot hear. Save it as PCM with 8 or 16 bits, or as μ-law."
    )]
    Format,
    /// It has no channels or more than two.
    #[error("The WAV file has more than two channels. Save it as mono.")]
    Channels,
    /// Its samples come too slowly or too fast.
    #[error("The WAV file must have 8,000 to 48,000 samples a second. Save it with 8,000 or 16,000.")]
    Rate,
    /// It has no samples.
    #[error("There is nothing to hear in the WAV file. Record it again.")]
    Empty,
    /// It is longer than five minutes.
    #[error("The recording is longer than five minutes. Make it shorter.")]
    TooLong,
}

const PCM: u16 = 1;
const MU_LAW: u16 = 7;
/// The format stands in the extension.
const EXTENSIBLE: u16 = 0xFFFE;
/// The longest recording, in seconds.
const LONGEST_S: u64 = 300;

/// How a file's samples are laid out.
#[derive(Clone, Copy)]
struct Layout {
    rate: u32,
    /// Bytes of one sample of all channels.
    frame: u64,
}

/// Whole seconds of a WAV file, a second begun in full.
pub(super) fn duration_s(wav: &[u8]) -> Result<u32, NotWav> {
    let body = match (wav.get(..4), wav.get(8..12)) {
        (Some(b"RIFF"), Some(b"WAVE")) => &wav[12..],
        _ => return Err(NotWav::Other),
    };
    let mut layout = None;
    let mut rest = body;
    loop {
        let (Some(id), Some(length)) = (rest.get(..4), u32_at(rest, 4)) else { return Err(NotWav::CutShort) };
        let length = usize::try_from(length).map_err(|_| NotWav::CutShort)?;
        let chunk = rest.get(8..).unwrap_or_default();
        match id {
            b"fmt " => layout = Some(read_layout(chunk.get(..length).ok_or(NotWav::CutShort)?)?),
            b"data" => {
                let layout = layout.ok_or(NotWav::Other)?;
                if chunk.len() < length {
                    return Err(NotWav::CutShort);
                }
                return seconds(layout, length as u64);
            }
            _ => {}
        }
        // Chunks begin at even places.
        rest = chunk.get(length.saturating_add(length % 2)..).ok_or(NotWav::CutShort)?;
    }
}

fn read_layout(chunk: &[u8]) -> Result<Layout, NotWav> {
    let field = |at| u16_at(chunk, at).ok_or(NotWav::CutShort);
    let (format, channels, bits) = (field(0)?, field(2)?, field(14)?);
    let rate = u32_at(chunk, 4).ok_or(NotWav::CutShort)?;
    let format = if format == EXTENSIBLE { field(24)? } else { format };
    match (format, bits) {
        (PCM, 8 | 16) | (MU_LAW, 8) => {}
        _ => return Err(NotWav::Format),
    }
    if !matches!(channels, 1 | 2) {
        return Err(NotWav::Channels);
    }
    if !(8_000..=48_000).contains(&rate) {
        return Err(NotWav::Rate);
    }
    Ok(Layout { rate, frame: u64::from(channels) * u64::from(bits / 8) })
}

fn seconds(layout: Layout, bytes: u64) -> Result<u32, NotWav> {
    let frames = bytes / layout.frame;
    let seconds = frames.div_ceil(u64::from(layout.rate));
    match u32::try_from(seconds) {
        Ok(0) => Err(NotWav::Empty),
        Ok(seconds) if frames <= LONGEST_S * u64::from(layout.rate) => Ok(seconds),
        Ok(_) | Err(_) => Err(NotWav::TooLong),
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chunk(id: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes();
        let mut chunk = [id.as_slice(), &length, body].concat();
        chunk.resize(chunk.len().next_multiple_of(2), 0);
        chunk
    }

    fn format(format: u16, channels: u16, rate: u32, bits: u16) -> Vec<u8> {
        let frame = channels * (bits / 8);
        let mut body = Vec::new();
        for field in [format, channels] {
            body.extend(field.to_le_bytes());
        }
        body.extend(rate.to_le_bytes());
        body.extend((rate * u32::from(frame)).to_le_bytes());
        for field in [frame, bits] {
            body.extend(field.to_le_bytes());
        }
        chunk(b"fmt ", &body)
    }

    fn wav(chunks: &[&[u8]]) -> Vec<u8> {
        let body = [b"WAVE".as_slice(), &chunks.concat()].concat();
        chunk(b"RIFF", &body)
    }

    fn silence(bytes: usize) -> Vec<u8> {
        chunk(b"data", &vec![0; bytes])
    }

    #[test]
    fn the_kinds_that_twilio_plays() {
        for (format, bytes, expected) in [
            (format(PCM, 1, 8_000, 16), 32_000, 2),
            (format(PCM, 2, 8_000, 16), 32_001, 1),
            (format(PCM, 1, 48_000, 8), 48_001, 2),
            (format(MU_LAW, 1, 8_000, 8), 8_000 * 300, 300),
            (format(PCM, 1, 8_000, 16), 2, 1),
        ] {
            assert_eq!(duration_s(&wav(&[&format, &silence(bytes)])), Ok(expected));
        }
        let odd = chunk(b"LIST", b"odd");
        let between = wav(&[&odd, &format(PCM, 1, 8_000, 16), &odd, &silence(16_000), &odd]);
        assert_eq!(duration_s(&between), Ok(1));
        let mut extension = format(EXTENSIBLE, 1, 8_000, 16);
        extension.extend([22, 0, 16, 0, 4, 0, 0, 0, 1, 0]);
        extension.extend([0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71]);
        let length = u32::try_from(extension.len() - 8).unwrap_or_default().to_le_bytes();
        extension[4..8].copy_from_slice(&length);
        assert_eq!(duration_s(&wav(&[&extension, &silence(16_000)])), Ok(1));
    }

    #[test]
    fn whatever_else_it_is_has_its_sentence() {
        let good = format(PCM, 1, 8_000, 16);
        let whole = wav(&[&good, &silence(16_000)]);
        for (file, expected) in [
            (Vec::new(), NotWav::Other),
            (b"ID3\x03 an MP3 file".to_vec(), NotWav::Other),
            (b"RIFF\x04\0\0\0AVI ".to_vec(), NotWav::Other),
            (wav(&[]), NotWav::CutShort),
            (wav(&[&good]), NotWav::CutShort),
            (whole[..whole.len() - 1].to_vec(), NotWav::CutShort),
            (wav(&[&silence(10), &good]), NotWav::Other),
            (wav(&[&good, &silence(0)]), NotWav::Empty),
            (wav(&[&good, &silence(1)]), NotWav::Empty),
            (wav(&[&good, &silence(16_000 * 300 + 2)]), NotWav::TooLong),
            (wav(&[&format(PCM, 1, 8_000, 24), &silence(9)]), NotWav::Format),
            (wav(&[&format(3, 1, 8_000, 32), &silence(8)]), NotWav::Format),
            (wav(&[&format(MU_LAW, 1, 8_000, 16), &silence(8)]), NotWav::Format),
            (wav(&[&format(PCM, 0, 8_000, 16), &silence(8)]), NotWav::Channels),
            (wav(&[&format(PCM, 6, 8_000, 16), &silence(8)]), NotWav::Channels),
            (wav(&[&format(PCM, 1, 7_999, 16), &silence(8)]), NotWav::Rate),
            (wav(&[&format(PCM, 1, 96_000, 16), &silence(8)]), NotWav::Rate),
        ] {
            assert_eq!(duration_s(&file), Err(expected), "{:?}", file.get(..40));
        }
    }

    proptest! {
        #[test]
        fn no_file_is_too_odd_to_be_read(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = duration_s(&bytes);
            let _ = duration_s(&[b"RIFF\0\0\0\0WAVE".as_slice(), &bytes].concat());
        }
    }
}
