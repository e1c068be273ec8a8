//! Offers, answers and what follows from them.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::format::{Codec, CodecConfig, CodecSpec, FormatParams, PayloadParams};
use str0m::media::{Direction, Frequency, MediaKind, Mid, Pt};
use str0m::rtp::{Extension, ExtensionMap};
use str0m::{Candidate, Rtc, RtcConfig};

use super::sdp::{self, SdpError};
use super::{Negotiated, PeerOptions, PeerRole, TransportError};
use crate::api::CodecName;

/// Payload types as browsers number them.
const OPUS: u8 = 111;
const PCMU: u8 = 0;
const EVENT_48000: u8 = 110;
const EVENT_8000: u8 = 126;

/// Reports and statistics once a second, as often as the Voice SDK reads them.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);
/// Connectivity checks go on for about half a minute before a path is given up for good, so that a
/// short outage heals by itself: nine tries of growing distance, then one each three seconds.
const CHECK_RETRIES: usize = 12;

/// The connection before any description: codecs and candidates.
pub(super) fn build(
    options: &PeerOptions,
    addresses: &[SocketAddr],
    now: Instant,
) -> Result<Rtc, TransportError> {
    let mut config = RtcConfig::new()
        .set_rtp_mode(true)
        .set_ice_lite(options.role == PeerRole::Gateway)
        .set_stats_interval(Some(REPORT_INTERVAL))
        .set_rtcp_report_interval_audio(REPORT_INTERVAL)
        .set_extension_map(extensions());
    config.set_max_stun_retransmits(CHECK_RETRIES);
    *config.codec_config() = codecs(options);
    let mut rtc = config.build(now);
    // A gateway names one address.
    let count = if options.role == PeerRole::Gateway { 1 } else { addresses.len() };
    for address in &addresses[..count] {
        let candidate =
            Candidate::host(*address, "udp").map_err(|error| SdpError::Refused(error.to_string()))?;
        rtc.add_local_candidate(candidate);
    }
    Ok(rtc)
}

/// The section's name travels with the packets, which helps browsers that bundle; nothing else is needed for a call.
fn extensions() -> ExtensionMap {
    let mut map = ExtensionMap::empty();
    map.set(1, Extension::RtpMid);
    map
}

fn codecs(options: &PeerOptions) -> CodecConfig {
    let mut params: Vec<PayloadParams> = options
        .codecs
        .iter()
        .map(|codec| match codec {
            CodecName::Opus => {
                let format = FormatParams {
                    min_p_time: Some(10),
                    use_inband_fec: Some(true),
                    ..FormatParams::default()
                };
                payload(OPUS, Codec::Opus, Frequency::FORTY_EIGHT_KHZ, Some(2), format)
            }
            CodecName::Pcmu => {
                payload(PCMU, Codec::PCMU, Frequency::EIGHT_KHZ, None, FormatParams::default())
            }
        })
        .collect();
    for rate in &options.telephone_event_rates {
        let (number, frequency) = if *rate == 48_000 {
            (EVENT_48000, Frequency::FORTY_EIGHT_KHZ)
        } else {
            (EVENT_8000, Frequency::EIGHT_KHZ)
        };
        params.push(payload(number, Codec::Tele, frequency, None, FormatParams::default()));
    }
    CodecConfig::new_from_payload_params(params)
}

fn payload(
    number: u8,
    codec: Codec,
    clock_rate: Frequency,
    channels: Option<u8>,
    format: FormatParams,
) -> PayloadParams {
    let mut params =
        PayloadParams::new(number.into(), None, CodecSpec { codec, clock_rate, channels, format });
    // Bandwidth estimation is for video; one voice stream has nothing to adapt.
    params.set_fb_transport_cc(false);
    params
}

/// The state of offer and answer.
#[derive(Debug, Default)]
pub(super) struct Negotiation {
    pending: Option<(SdpPendingOffer, String)>,
    /// The audio section, once agreed.
    pub(super) mid: Option<Mid>,
    /// Candidates the far end has named, with their types.
    pub(super) remote_candidates: Vec<(SocketAddr, String)>,
    /// Payload types in the order in which we would send them.
    order: Vec<Pt>,
    max_bitrate: Option<u32>,
}

/// What a payload type stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Sound(CodecName),
    /// Telephone events at this clock rate.
    Event(u32),
}

impl Negotiation {
    pub(super) fn create_offer(
        &mut self,
        rtc: &mut Rtc,
        options: &PeerOptions,
        ice_restart: bool,
    ) -> Result<String, TransportError> {
        let mut changes = rtc.sdp_api();
        if self.mid.is_none() {
            changes.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None);
        }
        if ice_restart && self.mid.is_some() {
            changes.ice_restart(true);
        }
        let (offer, pending) =
            changes.apply().ok_or(TransportError::OutOfOrder("there is nothing new to offer"))?;
        let text = dress(&offer.to_sdp_string(), options);
        let mid = sdp::mid(&text).unwrap_or("0").to_owned();
        self.pending = Some((pending, mid));
        Ok(text)
    }

    pub(super) fn accept_answer(&mut self, rtc: &mut Rtc, text: &str) -> Result<(), TransportError> {
        let (pending, mid) = self
            .pending
            .take()
            .ok_or(TransportError::OutOfOrder("an answer came to an offer that was never made"))?;
        let answer = match sdp::normalize(text, Some(&mid)) {
            Ok(answer) => answer,
            Err(error) => {
                // Nothing was applied, so a better answer may still come.
                self.pending = Some((pending, mid));
                return Err(error.into());
            }
        };
        let parsed = SdpAnswer::from_sdp_string(&answer).map_err(refused)?;
        rtc.sdp_api().accept_answer(pending, parsed).map_err(refused)?;
        self.settle(rtc, &answer, None)
    }

    pub(super) fn accept_offer(
        &mut self,
        rtc: &mut Rtc,
        options: &PeerOptions,
        text: &str,
    ) -> Result<String, TransportError> {
        let offer = sdp::answer_actively(&sdp::normalize(text, None)?);
        let parsed = SdpOffer::from_sdp_string(&offer).map_err(refused)?;
        self.pending = None;
        let answer = rtc.sdp_api().accept_offer(parsed).map_err(refused)?.to_sdp_string();
        self.settle(rtc, &offer, Some(&options.codecs))?;
        let order: Vec<u8> = self.order.iter().map(|pt| **pt).collect();
        Ok(sdp::prefer_payload_types(&dress(&answer, options), &order))
    }

    /// Reads off what was agreed. As the answerer we send our own favourite, as the offerer the far end's.
    fn settle(
        &mut self,
        rtc: &Rtc,
        remote: &str,
        preference: Option<&[CodecName]>,
    ) -> Result<(), TransportError> {
        let mid = sdp::mid(remote).map(Mid::from).ok_or(SdpError::Missing("a=mid"))?;
        let media = rtc.media(mid).ok_or(SdpError::NoAudio)?;
        let mut order = media.remote_pts().to_vec();
        if let Some(preference) = preference {
            order.sort_by_key(|pt| match meaning(rtc, *pt) {
                Some(Meaning::Sound(codec)) => {
                    preference.iter().position(|known| *known == codec).unwrap_or(usize::MAX - 1)
                }
                Some(Meaning::Event(_)) | None => usize::MAX,
            });
        }
        if !order.iter().any(|pt| matches!(meaning(rtc, *pt), Some(Meaning::Sound(_)))) {
            return Err(SdpError::Refused("no codec in common: Opus or PCMU is needed".into()).into());
        }
        self.order = order;
        self.mid = Some(mid);
        self.remote_candidates = sdp::candidates(remote);
        self.max_bitrate = sdp::max_average_bitrate(remote);
        Ok(())
    }

    /// What was agreed, once it was.
    pub(super) fn outcome(&self, rtc: &Rtc) -> Option<Negotiated> {
        self.mid?;
        let codec = self.order.iter().find_map(|pt| match meaning(rtc, *pt) {
            Some(Meaning::Sound(codec)) => Some(codec),
            Some(Meaning::Event(_)) | None => None,
        })?;
        Some(Negotiated {
            codec,
            max_bitrate: self.max_bitrate,
            can_send_telephone_events: self.event_pt(rtc, codec).is_some(),
        })
    }

    /// The agreed payload type of a codec.
    pub(super) fn sound_pt(&self, rtc: &Rtc, codec: CodecName) -> Option<Pt> {
        self.order.iter().copied().find(|pt| meaning(rtc, *pt) == Some(Meaning::Sound(codec)))
    }

    /// The agreed payload type of telephone events that share a codec's clock.
    pub(super) fn event_pt(&self, rtc: &Rtc, codec: CodecName) -> Option<Pt> {
        self.order.iter().copied().find(|pt| meaning(rtc, *pt) == Some(Meaning::Event(codec.clock_rate())))
    }
}

/// What a payload type of this connection stands for.
pub(super) fn meaning(rtc: &Rtc, pt: Pt) -> Option<Meaning> {
    let params = rtc.codec_config().params().iter().find(|params| params.pt() == pt)?;
    let spec = params.spec();
    #[expect(clippy::wildcard_enum_match_arm, reason = "the library knows many codecs, we negotiate three")]
    match spec.codec {
        Codec::Opus => Some(Meaning::Sound(CodecName::Opus)),
        Codec::PCMU => Some(Meaning::Sound(CodecName::Pcmu)),
        Codec::Tele => Some(Meaning::Event(spec.clock_rate.get())),
        _ => None,
    }
}

fn dress(text: &str, options: &PeerOptions) -> String {
    let text = sdp::with_packet_time(text);
    let text = if options.announce_candidates { text } else { sdp::without_candidates(&text) };
    if options.role == PeerRole::Gateway { sdp::gateway_dress(&text) } else { text }
}

fn refused(error: impl std::fmt::Display) -> TransportError {
    SdpError::Refused(error.to_string()).into()
}
