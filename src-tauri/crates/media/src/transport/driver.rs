//! The task that owns one connection and its sockets.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use str0m::net::{Protocol, Receive};
use str0m::rtp::{RtpPacket, RtpWrite, Ssrc};
use str0m::{Event, Input, Output, Rtc};
use tokio::sync::mpsc;

use super::counters::{ReceiveCounter, Sent};
use super::dtmf::{EventReceiver, EventSender};
use super::link::{Datagram, Link};
use super::negotiation::{self, Meaning, Negotiation};
use super::tracker::Tracker;
use super::{CandidatePair, Command, PeerEvent, PeerOptions, PeerStats, TransportError};
use crate::api::{CodecName, ConnectionState, IceState};
use crate::codec::Decoder;
use crate::jitter::AudioPacket;

/// Larger than any datagram of a call.
const DATAGRAM: usize = 2_000;
/// Streams that were not announced in the description and are taken all the same; the oldest goes.
const MAX_UNANNOUNCED: usize = 4;
/// Sleeping longer than this is pointless and keeps timers far from their limits.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);
/// After an error of the library, it is asked again this much later, not at once.
const AFTER_ERROR: Duration = Duration::from_millis(20);

pub(super) struct Driver {
    options: PeerOptions,
    rtc: Rtc,
    link: Link,
    events: mpsc::UnboundedSender<PeerEvent>,
    negotiation: Negotiation,
    tracker: Tracker,
    reported: (IceState, ConnectionState),
    origin: Instant,
    unannounced: VecDeque<Ssrc>,
    received: ReceiveCounter,
    heard_keys: EventReceiver,
    sent: Sent,
    sequence: u64,
    timestamp: u32,
    keys: EventSender,
    /// RTP clock the keys are timed by, in Hz; set with the first of them.
    keys_clock: Option<u32>,
    round_trip: Option<Duration>,
    remote_fraction_lost: Option<f32>,
    pair: Option<CandidatePair>,
}

impl Driver {
    pub(super) fn new(
        options: PeerOptions,
        link: Link,
        events: mpsc::UnboundedSender<PeerEvent>,
    ) -> Result<Self, TransportError> {
        let now = now();
        let rtc = negotiation::build(&options, link.addresses(), now)?;
        Ok(Self {
            rtc,
            link,
            events,
            negotiation: Negotiation::default(),
            tracker: Tracker::new(options.failed_after),
            reported: (IceState::New, ConnectionState::New),
            origin: now,
            unannounced: VecDeque::new(),
            received: ReceiveCounter::default(),
            heard_keys: EventReceiver::default(),
            sent: Sent::default(),
            // Random starts (RFC 3550 §5.1); the lower half keeps SRTP's rollover counter at 0 in the beginning.
            sequence: rand::random::<u16>() as u64 / 2,
            timestamp: rand::random(),
            keys: EventSender::default(),
            keys_clock: None,
            round_trip: None,
            remote_fraction_lost: None,
            pair: None,
            options,
        })
    }

    pub(super) async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        let mut buffer = vec![0; DATAGRAM];
        let closed = loop {
            let due = self.drain();
            self.report();
            let wake = [Some(due), self.tracker.deadline(now()), self.keys_deadline()]
                .into_iter()
                .flatten()
                .min()
                .unwrap_or(due);
            let wake = wake.min(now() + LONGEST_SLEEP);
            tokio::select! {
                command = commands.recv() => match command {
                    None => break None,
                    Some(Command::Close { reply }) => break Some(reply),
                    Some(command) => self.obey(command),
                },
                datagram = self.link.receive(&mut buffer) => self.take(&datagram, &buffer[..datagram.length]),
                () = tokio::time::sleep_until(wake.into()) => {
                    self.input(Input::Timeout(now()));
                    self.press_keys();
                }
            }
        };
        self.say_goodbye();
        drop(self);
        if let Some(reply) = closed {
            // Whoever asked may have stopped waiting.
            let _ = reply.send(());
        }
    }

    /// Sends and reports everything the library has ready; answers when it wants to be woken.
    fn drain(&mut self) -> Instant {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => return at,
                Ok(Output::Transmit(transmit)) => {
                    self.link.send(transmit.source, transmit.destination, &transmit.contents);
                }
                Ok(Output::Event(event)) => self.on_event(event),
                Err(error) => {
                    self.failed(&error);
                    return now() + AFTER_ERROR;
                }
            }
        }
    }

    fn input(&mut self, input: Input<'_>) {
        if let Err(error) = self.rtc.handle_input(input) {
            self.failed(&error);
        }
    }

    /// Most errors concern one packet and leave the connection as it was.
    fn failed(&mut self, error: &str0m::RtcError) {
        if self.rtc.is_alive() {
            tracing::debug!(%error, "input to the media connection was refused");
        } else {
            tracing::warn!(%error, "the media connection broke down");
            self.tracker.broken();
        }
    }

    fn on_event(&mut self, event: Event) {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "the library's events are open-ended; video and data are not ours"
        )]
        match event {
            Event::Connected => self.tracker.encrypted(),
            Event::IceConnectionStateChange(state) => self.tracker.ice_moved(state),
            Event::RtpPacket(packet) => self.on_packet(packet),
            Event::Closed => {
                self.tracker.remote_closed();
                self.tell(PeerEvent::RemoteClosed);
            }
            Event::MediaEgressStats(stats) => {
                self.round_trip = stats.rtt.or(self.round_trip);
                self.remote_fraction_lost = stats.loss.or(self.remote_fraction_lost);
            }
            Event::PeerStats(stats) => {
                self.pair = stats.selected_candidate_pair.map(|pair| CandidatePair {
                    local: pair.local.addr,
                    remote: pair.remote.addr,
                    remote_type: self.candidate_type(pair.remote.addr),
                    round_trip: pair.current_round_trip_time,
                });
            }
            _ => {}
        }
    }

    fn candidate_type(&self, address: SocketAddr) -> String {
        let named = self.negotiation.remote_candidates.iter().find(|(known, _)| *known == address);
        named.map_or_else(|| "prflx".to_owned(), |(_, kind)| kind.clone())
    }

    fn on_packet(&mut self, packet: RtpPacket) {
        let Some(meaning) = negotiation::meaning(&self.rtc, packet.header.payload_type) else { return };
        let (ssrc, sequence, timestamp) = (*packet.header.ssrc, *packet.seq_no, packet.time.numer());
        let sound = match meaning {
            Meaning::Sound(codec) => Some((codec, timestamp)),
            Meaning::Event(_) => None,
        };
        self.received.count(ssrc, sequence, packet.payload.len(), sound, packet.timestamp, self.origin);
        match meaning {
            Meaning::Sound(codec) => {
                let arrival = packet.timestamp;
                let packet =
                    AudioPacket { codec, ssrc, sequence, timestamp, payload: packet.payload.to_vec() };
                self.tell(PeerEvent::Audio { packet, arrival });
            }
            Meaning::Event(_) => {
                if let Some(key) = self.heard_keys.receive(timestamp, &packet.payload) {
                    self.tell(PeerEvent::TelephoneEvent(key));
                }
            }
        }
    }

    fn take(&mut self, datagram: &Datagram, contents: &[u8]) {
        let at = now();
        let Ok(receive) = Receive::new(Protocol::Udp, datagram.source, datagram.destination, contents) else {
            return;
        };
        let input = Input::Receive(at, receive);
        // Strangers' datagrams go no further than this.
        if self.rtc.accepts(&input) {
            self.tracker.heard(at);
            self.expect_unannounced(contents);
            self.input(input);
        }
    }

    /// Makes room for a stream whose SSRC the far end did not announce by `a=ssrc` and does not label
    /// with `a=mid`, as a gateway need not; the library would drop it. Whether it is genuine is decided by its encryption.
    fn expect_unannounced(&mut self, contents: &[u8]) {
        let (Some(mid), true) = (self.negotiation.mid, self.tracker.is_open()) else { return };
        let [first, second, _, _, _, _, _, _, a, b, c, d, ..] = *contents else { return };
        // RTP version 2; 192 to 223 in the second byte is RTCP (RFC 5761 §4).
        if first >> 6 != 2 || (192..=223).contains(&second) {
            return;
        }
        let ssrc = Ssrc::from(u32::from_be_bytes([a, b, c, d]));
        let known_type = negotiation::meaning(&self.rtc, (second & 0x7f).into()).is_some();
        if ssrc.is_probe() || !known_type || self.rtc.direct_api().stream_rx(&ssrc).is_some() {
            return;
        }
        if self.unannounced.len() == MAX_UNANNOUNCED
            && let Some(oldest) = self.unannounced.pop_front()
        {
            self.rtc.direct_api().remove_stream_rx(oldest);
        }
        self.rtc.direct_api().expect_stream_rx(ssrc, None, mid, None).suppress_nack(true);
        self.unannounced.push_back(ssrc);
        self.drain();
    }

    fn obey(&mut self, command: Command) {
        // Whoever asked may have stopped waiting, so unclaimed answers are dropped.
        match command {
            Command::CreateOffer { ice_restart, reply } => {
                let _ = reply.send(self.negotiation.create_offer(&mut self.rtc, &self.options, ice_restart));
            }
            Command::AcceptOffer { sdp, reply } => {
                let answer = self.negotiation.accept_offer(&mut self.rtc, &self.options, &sdp);
                self.after_negotiation(answer.is_ok());
                let _ = reply.send(answer);
            }
            Command::AcceptAnswer { sdp, reply } => {
                let result = self.negotiation.accept_answer(&mut self.rtc, &sdp);
                self.after_negotiation(result.is_ok());
                let _ = reply.send(result);
            }
            Command::Send { codec, payload } => self.send(codec, payload),
            Command::TelephoneEvents { tones, duration_ms, gap_ms } => {
                if let Some((_, clock)) = self.event_clock() {
                    self.keys_clock = Some(clock);
                    self.keys.insert(&tones, duration_ms, gap_ms, now());
                    self.press_keys();
                }
            }
            Command::Negotiated { reply } => {
                let _ = reply.send(self.negotiation.outcome(&self.rtc));
            }
            Command::Stats { reply } => {
                let _ = reply.send(PeerStats {
                    received: self.received.totals(),
                    sent: self.sent,
                    round_trip: self.round_trip,
                    remote_fraction_lost: self.remote_fraction_lost,
                    pair: self.pair.clone(),
                });
            }
            // The loop has taken it before it comes here.
            Command::Close { .. } => {}
        }
    }

    fn after_negotiation(&mut self, succeeded: bool) {
        if succeeded {
            self.tracker.negotiated(now());
            // A key cannot go on by another clock than it began by; the same clock lets it end in order.
            if self.event_clock().map(|(_, clock)| clock) != self.keys_clock {
                self.keys = EventSender::default();
                self.keys_clock = None;
            }
            // The library begins to check when time moves.
            self.drain();
            self.input(Input::Timeout(now()));
        }
    }

    fn send(&mut self, codec: CodecName, payload: Vec<u8>) {
        let samples = Decoder::packet_samples(codec, &payload).unwrap_or(0);
        let ticks = u32::try_from(samples).unwrap_or(0) / (48_000 / codec.clock_rate());
        let timestamp = self.timestamp;
        self.timestamp = timestamp.wrapping_add(ticks);
        if let Some(pt) = self.negotiation.sound_pt(&self.rtc, codec) {
            // The marker begins a stretch of speech (RFC 3551 §4.1); without DTX there is one.
            let first = self.sent.packets == 0;
            if self.write(pt, timestamp, first, payload) {
                self.sent.codec = Some(codec);
            }
        }
    }

    fn write(&mut self, pt: str0m::media::Pt, timestamp: u32, marker: bool, payload: Vec<u8>) -> bool {
        let (Some(mid), true) = (self.negotiation.mid, self.tracker.is_open()) else { return false };
        let mut api = self.rtc.direct_api();
        let Some(stream) = api.stream_tx_by_mid(mid, None) else { return false };
        self.sent.packets += 1;
        self.sent.bytes += payload.len() as u64;
        stream.write_rtp(RtpWrite::new(pt, self.sequence.into(), timestamp, now(), payload).marker(marker));
        self.sequence += 1;
        // A written packet leaves the library when time moves on.
        self.drain();
        self.input(Input::Timeout(now()));
        true
    }

    /// The payload type and clock of telephone events beside the sound being sent.
    fn event_clock(&self) -> Option<(str0m::media::Pt, u32)> {
        let codec = self.negotiation.outcome(&self.rtc)?.codec;
        self.negotiation.event_pt(&self.rtc, codec).map(|pt| (pt, codec.clock_rate()))
    }

    /// [`Driver::event_clock`] while the connection takes packets.
    fn sendable_clock(&self) -> Option<(str0m::media::Pt, u32)> {
        self.event_clock().filter(|_| self.tracker.is_open())
    }

    fn keys_deadline(&self) -> Option<Instant> {
        // Whatever keeps a key from being sent must keep it from waking the loop too, or it would spin.
        self.sendable_clock().and_then(|_| self.keys.deadline())
    }

    fn press_keys(&mut self) {
        let Some((pt, clock)) = self.sendable_clock() else { return };
        while self.keys.deadline().is_some_and(|at| at <= now()) {
            if let Some(packet) = self.keys.poll(now(), clock, self.timestamp) {
                self.write(pt, packet.timestamp, packet.marker, packet.payload.to_vec());
            }
        }
    }

    fn report(&mut self) {
        let (ice, connection) = self.tracker.states(now());
        if ice != self.reported.0 {
            self.tell(PeerEvent::Ice(ice));
        }
        if connection != self.reported.1 {
            self.tell(PeerEvent::Connection(connection));
        }
        self.reported = (ice, connection);
    }

    fn tell(&self, event: PeerEvent) {
        // A listener that has gone does not stop the call.
        let _ = self.events.send(event);
    }

    fn say_goodbye(&mut self) {
        if let Err(error) = self.rtc.close() {
            tracing::debug!(%error, "the connection could not be closed in order");
        }
        self.drain();
    }
}

/// The clock everything here goes by; tests may pause it.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;
    use std::net::Ipv4Addr;
    use tokio::sync::oneshot;

    fn driver(options: PeerOptions) -> Driver {
        let link = Link::bind(&options.bind).unwrap();
        Driver::new(options, link, mpsc::unbounded_channel().0).unwrap()
    }

    /// `from` offers, the first time or anew, and `to` answers.
    fn negotiate(from: &mut Driver, to: &mut Driver) {
        let (reply, mut offer) = oneshot::channel();
        from.obey(Command::CreateOffer { ice_restart: true, reply });
        let (reply, mut answer) = oneshot::channel();
        to.obey(Command::AcceptOffer { sdp: offer.try_recv().unwrap().unwrap(), reply });
        let (reply, mut result) = oneshot::channel();
        from.obey(Command::AcceptAnswer { sdp: answer.try_recv().unwrap().unwrap(), reply });
        result.try_recv().unwrap().unwrap();
    }

    fn press(driver: &mut Driver) {
        driver.obey(Command::TelephoneEvents { tones: "123".into(), duration_ms: 100, gap_ms: 70 });
    }

    #[tokio::test]
    async fn keys_wake_nobody_once_they_cannot_be_sent() {
        let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut near = driver(PeerOptions::client(vec![CodecName::Opus, CodecName::Pcmu], vec![here]));
        let mut far = driver(PeerOptions::gateway(vec![CodecName::Pcmu, CodecName::Opus], here));
        // The answerer's favourite codec is used, and the gateway takes events at PCMU's clock alone.
        negotiate(&mut near, &mut far);
        press(&mut near);
        assert_eq!(near.keys_deadline(), None, "the connection is not open yet");
        near.tracker.encrypted();
        assert!(near.keys_deadline().is_some());
        negotiate(&mut near, &mut far);
        assert!(near.keys_deadline().is_some(), "the same codec again leaves the keys alone");
        negotiate(&mut far, &mut near);
        assert!(near.event_clock().is_none(), "Opus now");
        assert_eq!(near.keys_deadline(), None);
        negotiate(&mut near, &mut far);
        assert!(near.event_clock().is_some(), "PCMU again");
        assert_eq!(near.keys_deadline(), None, "keys of before do not come to life");
        press(&mut near);
        assert!(near.keys_deadline().is_some());
    }
}
