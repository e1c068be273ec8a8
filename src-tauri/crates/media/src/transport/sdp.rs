//! Rewriting session descriptions between what Twilio's side writes and what the ICE/DTLS library reads.
//!
//! Pure text to text. The library (str0m 0.25) refuses several things that are legal or at least
//! common, above all the profile `RTP/SAVPF` of Twilio's gateway (a public log shows it in an
//! answer: <https://github.com/twilio/twilio-voice-ios/issues/27>).

use std::net::IpAddr;

/// Why a text cannot be used as a session description for one audio call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SdpError {
    /// Not an SDP text at all.
    #[error("the session description does not begin with v=0")]
    NotSdp,
    /// No audio section, or a refused one (port 0).
    #[error("the session description offers no audio")]
    NoAudio,
    /// Without it no encryption can be set up.
    #[error("the session description has no {0} line")]
    Missing(&'static str),
    /// The library's own complaint.
    #[error("the session description was not accepted: {0}")]
    Refused(String),
}

/// The profile the library accepts and browsers write (RFC 8827, RFC 8829).
const PROFILE: &str = "UDP/TLS/RTP/SAVPF";
/// What Twilio's gateway writes instead.
const GATEWAY_PROFILE: &str = "RTP/SAVPF";

/// Turns any browser's or gateway's description into the form the library reads.
///
/// - line ends of every kind become CRLF, and a carriage return in the middle of a line (the Voice
///   SDK puts `;maxaveragebitrate=` after one) goes away;
/// - `RTP/SAVPF` becomes `UDP/TLS/RTP/SAVPF`;
/// - a missing `a=mid` (taken from `known_mid`, the offer's, else `0`), `a=group:BUNDLE` and direction are added;
/// - candidates that are not UDP with an IP address (mDNS names, TCP) are left out;
/// - media sections other than the first audio are left out.
///
/// Fails when it is no SDP, has no audio, or lacks ICE credentials or a fingerprint.
pub fn normalize(sdp: &str, known_mid: Option<&str>) -> Result<String, SdpError> {
    let text = sdp.replace("\r;", ";").replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<&str> = text.split('\n').map(str::trim_end).filter(|line| !line.is_empty()).collect();
    if lines.first() != Some(&"v=0") {
        return Err(SdpError::NotSdp);
    }
    let first_media = lines.iter().position(|line| line.starts_with("m=")).unwrap_or(lines.len());
    let (session, media) = lines.split_at(first_media);
    let start = media.iter().position(|line| line.starts_with("m=audio ")).ok_or(SdpError::NoAudio)?;
    let audio = &media[start..];
    let end =
        audio.iter().skip(1).position(|line| line.starts_with("m=")).map_or(audio.len(), |found| found + 1);
    let audio = &audio[..end];
    let has = |prefix: &str| session.iter().chain(audio).any(|line| line.starts_with(prefix));
    for (prefix, name) in
        [("a=ice-ufrag:", "a=ice-ufrag"), ("a=ice-pwd:", "a=ice-pwd"), ("a=fingerprint:", "a=fingerprint")]
    {
        if !has(prefix) {
            return Err(SdpError::Missing(name));
        }
    }
    let own_mid = audio.iter().find_map(|line| line.strip_prefix("a=mid:"));
    let mid = own_mid.or(known_mid).unwrap_or("0");

    let mut output = Lines::default();
    for line in session {
        // Groups of sections that were left out would be inconsistent.
        if !line.starts_with("a=group:") && is_usable(line) {
            output.push(line);
        }
    }
    output.push(&format!("a=group:BUNDLE {mid}"));
    output.push(&audio_line(audio[0])?);
    for line in &audio[1..] {
        if is_usable(line) {
            output.push(line);
        }
    }
    if own_mid.is_none() {
        output.push(&format!("a=mid:{mid}"));
    }
    let is_direction =
        |line: &&&str| matches!(**line, "a=sendrecv" | "a=sendonly" | "a=recvonly" | "a=inactive");
    if audio.iter().filter(is_direction).count() == 0 {
        let inherited = session.iter().find(is_direction).copied().unwrap_or("a=sendrecv");
        output.push(inherited);
    }
    Ok(output.0)
}

/// The `m=audio` line with the library's profile; a refused section (port 0) is no audio.
fn audio_line(line: &str) -> Result<String, SdpError> {
    let mut words: Vec<&str> = line.split_ascii_whitespace().collect();
    let [_, port, profile, ..] = words.as_mut_slice() else { return Err(SdpError::NoAudio) };
    if *port == "0" {
        return Err(SdpError::NoAudio);
    }
    if matches!(*profile, GATEWAY_PROFILE | "RTP/SAVP" | "UDP/TLS/RTP/SAVP") {
        *profile = PROFILE;
    }
    Ok(words.join(" "))
}

/// Leaves out candidates the library cannot use or might stumble over.
fn is_usable(line: &str) -> bool {
    let Some(candidate) = line.strip_prefix("a=candidate:") else { return true };
    let words: Vec<&str> = candidate.split_ascii_whitespace().collect();
    let is_udp = words.get(2).is_some_and(|protocol| protocol.eq_ignore_ascii_case("udp"));
    is_udp && words.get(4).is_some_and(|address| address.parse::<IpAddr>().is_ok())
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    fn push(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push_str("\r\n");
    }
}

/// Makes the answerer the DTLS client, as browsers and Twilio's gateway are (RFC 5763 §5 recommends it).
///
/// The library answers `a=setup:passive` to `actpass`, and `active` only to `passive`.
pub(super) fn answer_actively(offer: &str) -> String {
    offer.replace("a=setup:actpass\r\n", "a=setup:passive\r\n")
}

/// Puts the named payload types first in the `m=audio` line; the others keep their order.
pub(super) fn prefer_payload_types(sdp: &str, first: &[u8]) -> String {
    map_lines(sdp, |line| {
        if !line.starts_with("m=audio ") {
            return Some(line.to_owned());
        }
        let mut words: Vec<String> = line.split_ascii_whitespace().map(str::to_owned).collect();
        let rank = |word: &String| first.iter().position(|pt| pt.to_string() == *word).unwrap_or(first.len());
        if let Some(types) = words.get_mut(3..) {
            types.sort_by_key(rank);
        }
        Some(words.join(" "))
    })
}

/// Leaves candidates out, as in the descriptions the Voice SDK sends: it never waits for them.
pub(super) fn without_candidates(sdp: &str) -> String {
    map_lines(sdp, |line| {
        let is_candidate = line.starts_with("a=candidate:") || line == "a=end-of-candidates";
        (!is_candidate).then(|| line.to_owned())
    })
}

/// Asks for packets of 20 ms, unless that is said already.
pub(super) fn with_packet_time(sdp: &str) -> String {
    if sdp.contains("a=ptime:") {
        return sdp.to_owned();
    }
    format!("{sdp}a=ptime:20\r\na=maxptime:20\r\n")
}

/// Dresses a description as Twilio's gateway does: its profile, session name and `a=connection:new`.
///
/// Source: the public log named at the top of this module.
pub fn gateway_dress(sdp: &str) -> String {
    let dressed = map_lines(sdp, |line| {
        Some(match line {
            "s=-" => "s=Twilio Media Gateway".to_owned(),
            _ if line.starts_with("m=audio ") => line.replacen(PROFILE, GATEWAY_PROFILE, 1),
            _ => line.to_owned(),
        })
    });
    format!("{dressed}a=connection:new\r\n")
}

/// The far end's limit on Opus in bit/s (`maxaveragebitrate`, RFC 7587 §6.1), when it names one.
pub(super) fn max_average_bitrate(sdp: &str) -> Option<u32> {
    sdp.lines().filter(|line| line.starts_with("a=fmtp:")).find_map(|line| {
        let parameters = line.split_once(' ')?.1;
        parameters
            .split(';')
            .find_map(|parameter| parameter.trim().strip_prefix("maxaveragebitrate="))
            .and_then(|value| value.trim().parse().ok())
            .filter(|value| (6_000..=510_000).contains(value))
    })
}

/// The `a=mid` of the first section.
pub(super) fn mid(sdp: &str) -> Option<&str> {
    sdp.lines().find_map(|line| line.strip_prefix("a=mid:"))
}

/// The candidates named in a description, as (address, type).
pub(super) fn candidates(sdp: &str) -> Vec<(std::net::SocketAddr, String)> {
    sdp.lines()
        .filter_map(|line| {
            let words: Vec<&str> = line.strip_prefix("a=candidate:")?.split_ascii_whitespace().collect();
            let address: IpAddr = words.get(4)?.parse().ok()?;
            let port: u16 = words.get(5)?.parse().ok()?;
            let kind = words.iter().position(|word| *word == "typ").and_then(|at| words.get(at + 1))?;
            Some((std::net::SocketAddr::new(address, port), (*kind).to_owned()))
        })
        .collect()
}

fn map_lines(sdp: &str, change: impl Fn(&str) -> Option<String>) -> String {
    let mut output = Lines::default();
    sdp.lines().filter_map(change).for_each(|line| output.push(&line));
    output.0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    /// The shape of the gateway's answer in the public log, with made-up values.
    const GATEWAY: &str = "v=0\r\no=root 1 1 IN IP4 192.0.2.10\r\ns=Twilio Media Gateway\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\na=group:BUNDLE audio\r\na=ice-lite\r\nm=audio 11188 RTP/SAVPF 111 0 126\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:126 telephone-event/8000\r\na=fmtp:126 0-16\r\na=ptime:20\r\na=maxptime:20\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdef01234567\r\na=candidate:Hc000020a 1 UDP 2130706431 192.0.2.10 11188 typ host\r\na=end-of-candidates\r\na=connection:new\r\na=setup:active\r\na=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\r\na=mid:audio\r\na=rtcp-mux\r\na=sendrecv\r\n";

    #[test]
    fn the_gateways_answer_becomes_readable() {
        let sdp = normalize(GATEWAY, None).unwrap();
        assert!(sdp.contains("m=audio 11188 UDP/TLS/RTP/SAVPF 111 0 126\r\n"));
        assert!(sdp.contains("a=candidate:Hc000020a 1 UDP"));
        assert!(sdp.contains("a=ice-lite\r\n") && sdp.contains("a=connection:new\r\n"));
        str0m::change::SdpAnswer::from_sdp_string(&sdp).unwrap();
    }

    #[test]
    fn every_kind_of_line_end_gives_the_same_text() {
        let expected = normalize(GATEWAY, None).unwrap();
        for text in [
            GATEWAY.replace("\r\n", "\n"),
            GATEWAY.replace("\r\n", "\r"),
            GATEWAY.replace("\r\n", "\r\n\r\n"),
            GATEWAY.trim_end().to_owned(),
        ] {
            assert_eq!(normalize(&text, None).unwrap(), expected);
        }
    }

    #[test]
    fn the_sdks_bitrate_suffix_is_put_right() {
        let munged = GATEWAY.replace(
            "a=fmtp:126 0-16\r\n",
            "a=fmtp:111 minptime=10;useinbandfec=1\r;maxaveragebitrate=16000\n",
        );
        let sdp = normalize(&munged, None).unwrap();
        assert!(sdp.contains("a=fmtp:111 minptime=10;useinbandfec=1;maxaveragebitrate=16000\r\n"), "{sdp}");
        assert_eq!(max_average_bitrate(&sdp), Some(16_000));
        assert_eq!(max_average_bitrate(GATEWAY), None);
        assert_eq!(max_average_bitrate("a=fmtp:111 maxaveragebitrate=9\r\n"), None);
    }

    #[test]
    fn what_is_missing_is_added_and_what_is_there_is_kept() {
        let bare = GATEWAY
            .replace("a=group:BUNDLE audio\r\n", "")
            .replace("a=mid:audio\r\n", "")
            .replace("a=sendrecv\r\n", "");
        let sdp = normalize(&bare, Some("x7")).unwrap();
        for line in ["a=group:BUNDLE x7\r\n", "a=mid:x7\r\n", "a=sendrecv\r\n"] {
            assert_eq!(sdp.matches(line).count(), 1, "{line}");
        }
        assert_eq!(mid(&sdp), Some("x7"));
        let kept = normalize(GATEWAY, Some("x7")).unwrap();
        assert_eq!(kept.matches("a=mid:").count(), 1);
        assert_eq!(mid(&kept), Some("audio"));
    }

    #[test]
    fn unusable_candidates_and_other_media_are_left_out() {
        let extended = GATEWAY.replace(
            "a=end-of-candidates\r\n",
            "a=candidate:1 1 udp 2113937151 4f1c.local 50000 typ host\r\na=candidate:2 1 tcp 1518280447 192.0.2.10 9 typ host tcptype active\r\n",
        ) + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\n";
        let sdp = normalize(&extended, None).unwrap();
        assert_eq!(candidates(&sdp), vec![("192.0.2.10:11188".parse().unwrap(), "host".to_owned())]);
        assert!(!sdp.contains("m=video") && !sdp.contains("a=mid:1\r\n"));
    }

    #[test]
    fn what_cannot_work_is_named() {
        assert_eq!(normalize("hello", None), Err(SdpError::NotSdp));
        assert_eq!(normalize("", None), Err(SdpError::NotSdp));
        assert_eq!(normalize("v=0\r\n", None), Err(SdpError::NoAudio));
        assert_eq!(normalize(&GATEWAY.replace("m=audio 11188", "m=audio 0"), None), Err(SdpError::NoAudio));
        assert_eq!(
            normalize(&GATEWAY.replace("a=fingerprint", "a=x-print"), None),
            Err(SdpError::Missing("a=fingerprint"))
        );
        assert_eq!(
            normalize(&GATEWAY.replace("a=ice-pwd", "a=x"), None),
            Err(SdpError::Missing("a=ice-pwd"))
        );
    }

    #[test]
    fn payload_types_are_reordered_and_nothing_else() {
        let sdp = prefer_payload_types(GATEWAY, &[0, 126]);
        assert!(sdp.contains("m=audio 11188 RTP/SAVPF 0 126 111\r\n"));
        assert_eq!(sdp.replace("0 126 111", "111 0 126"), GATEWAY);
    }

    #[test]
    fn a_dressed_description_reads_back_as_itself() {
        let plain = normalize(GATEWAY, None).unwrap();
        let dressed = gateway_dress(
            &plain.replace("s=Twilio Media Gateway", "s=-").replace("a=connection:new\r\n", ""),
        );
        assert!(
            dressed.contains("m=audio 11188 RTP/SAVPF 111 0 126\r\n")
                && dressed.contains("s=Twilio Media Gateway\r\n")
        );
        assert_eq!(
            normalize(&dressed, None).unwrap().lines().collect::<std::collections::BTreeSet<_>>(),
            plain.lines().collect()
        );
    }

    #[test]
    fn small_rewrites() {
        assert!(!without_candidates(GATEWAY).contains("candidate"));
        assert_eq!(with_packet_time(GATEWAY), GATEWAY);
        assert!(with_packet_time("v=0\r\n").ends_with("a=ptime:20\r\na=maxptime:20\r\n"));
        assert_eq!(answer_actively("a=setup:actpass\r\n"), "a=setup:passive\r\n");
    }
}
