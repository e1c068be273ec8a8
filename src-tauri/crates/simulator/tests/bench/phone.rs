//! The sound half of an SDK: a WebRTC peer that says a tone and measures what it hears.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dialer_media::api::CodecName;
use dialer_media::codec::{Encoder, Frame, SILENCE};
use dialer_media::jitter::{JitterBuffer, JitterOptions};
use dialer_media::signal::{DtmfDetector, SignalMeter, SignalReport, Tone};
use dialer_media::transport::{Peer, PeerEvent, PeerHandle, PeerOptions};
use tokio::sync::mpsc;

use super::PATIENCE;

#[derive(Clone)]
pub(crate) struct Phone {
    pub(crate) peer: PeerHandle,
    says_hz: Arc<AtomicU32>,
    ear: Arc<Mutex<Ear>>,
}

#[derive(Default)]
struct Ear {
    meter: SignalMeter,
    detector: DtmfDetector,
    digits: String,
}

impl Ear {
    fn hear(&mut self, frame: &Frame) {
        self.meter.feed(frame);
        if let Some(digit) = self.detector.feed(frame) {
            self.digits.push(digit);
        }
    }
}

impl Phone {
    /// A silent phone with Opus preferred.
    pub(crate) fn new() -> Self {
        Self::with_codecs(vec![CodecName::Opus, CodecName::Pcmu])
    }

    pub(crate) fn with_codecs(codecs: Vec<CodecName>) -> Self {
        let mut options = PeerOptions::client(codecs, vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))]);
        // The SDK never trickles and sends its offer before candidates are known.
        options.announce_candidates = false;
        let (peer, events) = Peer::spawn(options).unwrap();
        let phone = Self { peer, says_hz: Arc::default(), ear: Arc::default() };
        tokio::spawn(phone.clone().run(events));
        phone
    }

    async fn run(self, mut events: mpsc::UnboundedReceiver<PeerEvent>) {
        let mut jitter = JitterBuffer::new(JitterOptions::default());
        let mut tone: Option<(u32, Tone)> = None;
        let mut encoder: Option<Encoder> = None;
        let mut clock = tokio::time::interval(Duration::from_millis(20));
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Some(PeerEvent::Audio { packet, .. }) => jitter.push(packet).unwrap(),
                    Some(_) => {}
                    None => return,
                },
                _ = clock.tick() => {
                    let heard = jitter.pop();
                    self.ear.lock().unwrap().hear(&heard);
                    let hz = self.says_hz.load(Ordering::Relaxed);
                    if tone.as_ref().map(|(hz, _)| *hz) != Some(hz) {
                        tone = Some((hz, Tone::new(hz as f32, -12.0)));
                    }
                    let frame = if hz == 0 { SILENCE } else { tone.as_mut().unwrap().1.next_frame() };
                    if encoder.is_none() {
                        let agreed = self.peer.negotiated().await.ok().flatten();
                        encoder = agreed.map(|agreed| Encoder::new(agreed.codec).unwrap());
                    }
                    if let Some(encoder) = &mut encoder {
                        let payload = encoder.encode(&frame).unwrap();
                        self.peer.send(encoder.codec(), payload);
                    }
                }
            }
        }
    }

    pub(crate) async fn offer(&self) -> String {
        self.peer.create_offer().await.unwrap()
    }

    pub(crate) async fn answer(&self, offer: &str) -> String {
        self.peer.accept_offer(offer).await.unwrap()
    }

    pub(crate) async fn accept_answer(&self, sdp: &str) {
        self.peer.accept_answer(sdp).await.unwrap();
    }

    /// Says a steady tone; 0 is silence.
    pub(crate) fn say(&self, hz: u32) {
        self.says_hz.store(hz, Ordering::Relaxed);
    }

    pub(crate) fn report(&self) -> SignalReport {
        self.ear.lock().unwrap().meter.report()
    }

    pub(crate) fn reset(&self) {
        self.ear.lock().unwrap().meter.reset();
    }

    /// DTMF recognised in the sound so far.
    pub(crate) fn digits(&self) -> String {
        self.ear.lock().unwrap().digits.clone()
    }

    /// Waits until the phone hears a tone within 5 Hz of `hz`.
    pub(crate) async fn hears(&self, hz: f32) {
        let near = |report: &SignalReport| {
            report.level_dbfs > -45.0 && report.dominant.is_some_and(|tone| (tone.hz - hz).abs() < 5.0)
        };
        self.hears_such(near, &format!("{hz} Hz")).await;
    }

    pub(crate) async fn hears_such(&self, enough: impl Fn(&SignalReport) -> bool, what: &str) {
        let listening = async {
            while !enough(&self.report()) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, listening).await.is_err() {
            panic!("{what} was not heard, but {:?}; {:?}", self.report(), self.peer.stats().await);
        }
    }

    /// Has a key pressed, again each second, until it is recognised in the sound: on a machine that is
    /// too busy to keep time, the first tries may be torn.
    pub(crate) async fn hears_key(&self, key: char, press: impl Fn()) {
        let listening = async {
            let mut again = tokio::time::interval(Duration::from_secs(1));
            let mut look = tokio::time::interval(Duration::from_millis(20));
            while !self.digits().contains(key) {
                tokio::select! {
                    _ = again.tick() => press(),
                    _ = look.tick() => {}
                }
            }
        };
        if tokio::time::timeout(PATIENCE, listening).await.is_err() {
            panic!("{key} was not heard, but {:?}", self.digits());
        }
    }
}
