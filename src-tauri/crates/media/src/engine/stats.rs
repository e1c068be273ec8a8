//! `getStats` in the shape the Voice SDK reads (voice-sdk 2.18.5, `stats.ts`).

use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::sound::SoundCounts;
use crate::api::{CodecName, StatsEntry};
use crate::codec::SAMPLE_RATE;
use crate::transport::PeerStats;

const INBOUND: &str = "inbound-audio";
const OUTBOUND: &str = "outbound-audio";
const REMOTE_INBOUND: &str = "remote-inbound-audio";
const TRANSPORT: &str = "transport";
const PAIR: &str = "candidate-pair";
const LOCAL: &str = "local-candidate";
const REMOTE: &str = "remote-candidate";

/// Builds the report. Entries appear once there is something behind them, and counters stand still
/// when nothing arrives, as the SDK's "low bytes" warning needs.
pub(super) fn report(
    peer: &PeerStats,
    sound: SoundCounts,
    local: &[SocketAddr],
    agreed: Option<CodecName>,
) -> Vec<StatsEntry> {
    let timestamp = epoch_ms();
    let kind = || "audio".to_owned();
    let mut entries = Vec::with_capacity(8);
    let sent_codec = peer.sent.codec.or(agreed);
    let received_codec = peer.received.codec.or(agreed);
    if received_codec.is_some() {
        entries.push(StatsEntry::InboundRtp {
            id: INBOUND.into(),
            timestamp,
            kind: kind(),
            codec_id: received_codec.map(codec_id),
            jitter: peer.received.jitter_s,
            packets_lost: peer.received.lost,
            packets_received: peer.received.packets,
            bytes_received: peer.received.bytes,
            concealed_samples: sound.jitter.concealed_samples,
            jitter_buffer_delay: sound.waiting_samples as f64 / f64::from(SAMPLE_RATE),
        });
    }
    if sent_codec.is_some() {
        entries.push(StatsEntry::OutboundRtp {
            id: OUTBOUND.into(),
            timestamp,
            kind: kind(),
            codec_id: sent_codec.map(codec_id),
            remote_id: peer.round_trip.map(|_| REMOTE_INBOUND.into()),
            packets_sent: peer.sent.packets,
            bytes_sent: peer.sent.bytes,
        });
    }
    if peer.round_trip.is_some() {
        entries.push(StatsEntry::RemoteInboundRtp {
            id: REMOTE_INBOUND.into(),
            timestamp,
            round_trip_time: peer.round_trip.map(|time| time.as_secs_f64()),
            fraction_lost: peer.remote_fraction_lost.map(f64::from),
        });
    }
    for codec in [CodecName::Opus, CodecName::Pcmu] {
        if sent_codec == Some(codec) || received_codec == Some(codec) {
            entries.push(StatsEntry::Codec {
                id: codec_id(codec),
                timestamp,
                mime_type: codec.mime_type().into(),
                clock_rate: codec.clock_rate(),
            });
        }
    }
    entries.push(StatsEntry::Transport {
        id: TRANSPORT.into(),
        timestamp,
        selected_candidate_pair_id: peer.pair.as_ref().map(|_| PAIR.into()),
    });
    let selected = peer.pair.as_ref().map(|pair| pair.local);
    for (index, address) in local.iter().enumerate() {
        entries.push(candidate(
            local_id(index, selected == Some(*address)),
            timestamp,
            *address,
            "host",
            true,
        ));
    }
    if let Some(pair) = &peer.pair {
        entries.push(candidate(REMOTE.into(), timestamp, pair.remote, &pair.remote_type, false));
        entries.push(StatsEntry::CandidatePair {
            id: PAIR.into(),
            timestamp,
            local_candidate_id: LOCAL.into(),
            remote_candidate_id: REMOTE.into(),
            selected: true,
            current_round_trip_time: pair.round_trip.map(|time| time.as_secs_f64()),
        });
    }
    entries
}

fn codec_id(codec: CodecName) -> String {
    match codec {
        CodecName::Opus => "codec-opus".into(),
        CodecName::Pcmu => "codec-pcmu".into(),
    }
}

/// The selected candidate has the plain name, which the pair refers to.
fn local_id(index: usize, selected: bool) -> String {
    if selected { LOCAL.into() } else { format!("{LOCAL}-{index}") }
}

fn candidate(id: String, timestamp: f64, address: SocketAddr, kind: &str, is_local: bool) -> StatsEntry {
    let (address, port, candidate_type) = (address.ip().to_string(), address.port(), kind.to_owned());
    if is_local {
        StatsEntry::LocalCandidate { id, timestamp, address, port, candidate_type }
    } else {
        StatsEntry::RemoteCandidate { id, timestamp, address, port, candidate_type }
    }
}

fn epoch_ms() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::CandidatePair;

    #[test]
    fn every_reference_leads_to_an_entry() {
        let local: Vec<SocketAddr> = vec![([192, 0, 2, 1], 5_000).into(), ([127, 0, 0, 1], 5_001).into()];
        let peer = PeerStats {
            round_trip: Some(Duration::from_millis(40)),
            remote_fraction_lost: Some(0.25),
            pair: Some(CandidatePair {
                local: local[1],
                remote: ([127, 0, 0, 1], 6_000).into(),
                remote_type: "prflx".into(),
                round_trip: Some(Duration::from_millis(2)),
            }),
            ..PeerStats::default()
        };
        let entries = report(&peer, SoundCounts::default(), &local, Some(CodecName::Opus));
        let ids: Vec<String> = entries.iter().map(id).collect();
        let unique: std::collections::BTreeSet<&String> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len(), "{ids:?}");
        for reference in entries.iter().flat_map(references) {
            assert!(ids.contains(&reference), "{reference} in {ids:?}");
        }
        let is_2026_or_later = |entry: &StatsEntry| format!("{entry:?}").contains("timestamp: 1");
        assert!(entries.iter().all(is_2026_or_later));
    }

    #[test]
    fn before_negotiation_there_are_no_streams() {
        let entries = report(&PeerStats::default(), SoundCounts::default(), &[], None);
        assert!(
            matches!(entries.as_slice(), [StatsEntry::Transport { selected_candidate_pair_id: None, .. }]),
            "{entries:?}"
        );
    }

    fn id(entry: &StatsEntry) -> String {
        match entry {
            StatsEntry::InboundRtp { id, .. }
            | StatsEntry::OutboundRtp { id, .. }
            | StatsEntry::RemoteInboundRtp { id, .. }
            | StatsEntry::Codec { id, .. }
            | StatsEntry::Transport { id, .. }
            | StatsEntry::CandidatePair { id, .. }
            | StatsEntry::LocalCandidate { id, .. }
            | StatsEntry::RemoteCandidate { id, .. } => id.clone(),
        }
    }

    fn references(entry: &StatsEntry) -> Vec<String> {
        match entry {
            StatsEntry::InboundRtp { codec_id, .. } => codec_id.iter().cloned().collect(),
            StatsEntry::OutboundRtp { codec_id, remote_id, .. } => {
                codec_id.iter().chain(remote_id).cloned().collect()
            }
            StatsEntry::Transport { selected_candidate_pair_id, .. } => {
                selected_candidate_pair_id.iter().cloned().collect()
            }
            StatsEntry::CandidatePair { local_candidate_id, remote_candidate_id, .. } => {
                vec![local_candidate_id.clone(), remote_candidate_id.clone()]
            }
            StatsEntry::RemoteInboundRtp { .. }
            | StatsEntry::Codec { .. }
            | StatsEntry::LocalCandidate { .. }
            | StatsEntry::RemoteCandidate { .. } => Vec::new(),
        }
    }
}
