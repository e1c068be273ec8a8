//! What the UI's `RTCPeerConnection` replacement says to the engine and hears from it.
//!
//! The shapes follow the W3C WebRTC names so that `ui/src/voice/` stays a thin translation.

use serde::{Deserialize, Serialize};

/// Names one peer connection for the life of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ts_rs::TS)]
#[ts(type = "number")]
pub struct PeerId(pub u32);

/// The W3C `RTCConfiguration` members the engine honours.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(default)]
pub struct PeerConfig {
    /// STUN and TURN URLs; TURN is not used yet.
    pub ice_servers: Vec<IceServer>,
}

/// One entry of `RTCConfiguration.iceServers`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(default)]
pub struct IceServer {
    /// `stun:` and `turn:` URLs.
    pub urls: Vec<String>,
    /// TURN user name.
    pub username: Option<String>,
    /// TURN password.
    pub credential: Option<String>,
}

/// `RTCSessionDescription.type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "lowercase")]
pub enum SdpType {
    /// An offer.
    Offer,
    /// An answer.
    Answer,
}

/// A codec of the engine, in SDK spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "lowercase")]
pub enum CodecName {
    /// Opus, 48 kHz.
    Opus,
    /// G.711 mu-law, 8 kHz.
    Pcmu,
}

/// `RTCPeerConnection.iceConnectionState` as the engine reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "lowercase")]
pub enum IceState {
    /// Nothing known yet.
    New,
    /// Candidate pairs are tried.
    Checking,
    /// A pair works.
    Connected,
    /// No answer for a while; may come back. Held while recovery is possible.
    Disconnected,
    /// Given up.
    Failed,
    /// Closed.
    Closed,
}

/// `RTCPeerConnection.connectionState` as the engine reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "lowercase")]
pub enum ConnectionState {
    /// Nothing known yet.
    New,
    /// ICE or DTLS under way.
    Connecting,
    /// Media can flow.
    Connected,
    /// ICE is disconnected.
    Disconnected,
    /// Given up.
    Failed,
    /// Closed.
    Closed,
}

/// What the engine reports. `peer` names the connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ts_rs::TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum VoiceEvent {
    /// A local candidate, for `onicecandidate`; `candidate` is the SDP attribute value.
    IceCandidate {
        /// Which connection.
        peer: PeerId,
        /// `candidate:…`.
        candidate: String,
    },
    /// All local candidates are known.
    GatheringComplete {
        /// Which connection.
        peer: PeerId,
    },
    /// ICE moved.
    IceConnectionState {
        /// Which connection.
        peer: PeerId,
        /// Where to.
        state: IceState,
    },
    /// The connection moved.
    ConnectionState {
        /// Which connection.
        peer: PeerId,
        /// Where to.
        state: ConnectionState,
    },
    /// Loudness of the last 50 ms, 0 to 1 (RMS, full scale sine = 0.707).
    Levels {
        /// Which connection.
        peer: PeerId,
        /// Microphone after mute.
        input: f32,
        /// Far end.
        output: f32,
    },
    /// Something about the sound devices the agent should know, as a sentence with the cure.
    DeviceNotice {
        /// Which connection, when one is concerned.
        peer: Option<PeerId>,
        /// Which device.
        device: DeviceKind,
        /// Whether this is a trouble that begins (`true`) or is over (`false`).
        trouble: bool,
        /// For the agent.
        message: String,
    },
    /// The list of sound devices changed.
    DevicesChanged,
}

/// Capture or playout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "lowercase")]
pub enum DeviceKind {
    /// A microphone.
    Microphone,
    /// A loudspeaker.
    Speaker,
}

/// One sound device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct AudioDevice {
    /// Stable while the device is plugged in; `default` follows the system's choice.
    pub id: String,
    /// For people.
    pub label: String,
    /// Capture or playout.
    pub kind: DeviceKind,
}

/// One entry of `RTCStatsReport`, with the members the SDK reads (voice-sdk 2.18.5, `stats.ts`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ts_rs::TS)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum StatsEntry {
    /// What arrives.
    InboundRtp {
        /// Entry id.
        id: String,
        /// Unix milliseconds.
        timestamp: f64,
        /// `audio`.
        kind: String,
        /// Id of the codec entry.
        codec_id: Option<String>,
        /// Inter-arrival jitter in seconds.
        jitter: f64,
        /// Cumulative.
        #[ts(type = "number")]
        packets_lost: i64,
        /// Cumulative.
        #[ts(type = "number")]
        packets_received: u64,
        /// Cumulative payload bytes.
        #[ts(type = "number")]
        bytes_received: u64,
        /// Cumulative samples made up by concealment, at 48 kHz.
        #[ts(type = "number")]
        concealed_samples: u64,
        /// Frames waiting in the jitter buffer, in seconds.
        jitter_buffer_delay: f64,
    },
    /// What is sent.
    OutboundRtp {
        /// Entry id.
        id: String,
        /// Unix milliseconds.
        timestamp: f64,
        /// `audio`.
        kind: String,
        /// Id of the codec entry.
        codec_id: Option<String>,
        /// Id of the `remote-inbound-rtp` entry.
        remote_id: Option<String>,
        /// Cumulative.
        #[ts(type = "number")]
        packets_sent: u64,
        /// Cumulative payload bytes.
        #[ts(type = "number")]
        bytes_sent: u64,
    },
    /// What the far end says about what we send.
    RemoteInboundRtp {
        /// Entry id.
        id: String,
        /// Unix milliseconds.
        timestamp: f64,
        /// Seconds.
        round_trip_time: Option<f64>,
        /// 0 to 1.
        fraction_lost: Option<f64>,
    },
    /// The codec in use.
    Codec {
        /// Entry id.
        id: String,
        /// Unix milliseconds.
        timestamp: f64,
        /// `audio/opus` or `audio/PCMU`.
        mime_type: String,
        /// Hz.
        clock_rate: u32,
    },
    /// The transport.
    Transport {
        /// Entry id.
        id: String,
        /// Unix milliseconds.
        timestamp: f64,
        /// Id of the pair in use.
        selected_candidate_pair_id: Option<String>,
    },
    /// A candidate pair.
    CandidatePair {
        /// Entry id.
        id: String,
        /// Unix milliseconds.
        timestamp: f64,
        /// Id.
        local_candidate_id: String,
        /// Id.
        remote_candidate_id: String,
        /// Whether media uses it.
        selected: bool,
        /// Seconds.
        current_round_trip_time: Option<f64>,
    },
    /// One of our candidates.
    LocalCandidate {
        /// Entry id.
        id: String,
        /// Unix milliseconds.
        timestamp: f64,
        /// IP address.
        address: String,
        /// UDP port.
        port: u16,
        /// `host`, `srflx`, `prflx` or `relay`.
        candidate_type: String,
    },
    /// One of theirs.
    RemoteCandidate {
        /// Entry id.
        id: String,
        /// Unix milliseconds.
        timestamp: f64,
        /// IP address.
        address: String,
        /// UDP port.
        port: u16,
        /// `host`, `srflx`, `prflx` or `relay`.
        candidate_type: String,
    },
}
