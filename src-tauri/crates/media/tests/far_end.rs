//! The other side of a call: a gateway that sends a tone and listens.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use dialer_media::api::CodecName;
use dialer_media::codec::{Decoder, Encoder, Frame};
use dialer_media::signal::{SignalMeter, SignalReport, Tone, rms};
use dialer_media::transport::{Peer, PeerEvent, PeerHandle, PeerOptions};

use crate::wait::within;

/// Answers or offers as Twilio's gateway would, then plays `hz` and measures what comes.
pub(crate) struct FarEnd {
    pub(crate) peer: PeerHandle,
    heard: Arc<Mutex<Heard>>,
    tasks: [tokio::task::JoinHandle<()>; 2],
}

#[derive(Default)]
struct Heard {
    meter: SignalMeter,
    keys: String,
    /// Level of the newest frame, 0 to 1, and how many have come.
    level: f32,
    frames: u64,
}

impl FarEnd {
    pub(crate) fn start(options: PeerOptions, hz: f32) -> Self {
        let (peer, mut events) = Peer::spawn(options).unwrap();
        let heard = Arc::<Mutex<Heard>>::default();
        let ears = Arc::clone(&heard);
        // Packets are decoded as they come, without a jitter buffer: what is measured is what was sent,
        // however busy this computer is.
        let listen = tokio::spawn(async move {
            let mut decoder: Option<Decoder> = None;
            while let Some(event) = events.recv().await {
                match event {
                    PeerEvent::Audio { packet, .. } => {
                        let decoder = match &mut decoder {
                            Some(decoder) if decoder.codec() == packet.codec => decoder,
                            other => other.insert(Decoder::new(packet.codec).unwrap()),
                        };
                        let mut sound = Vec::new();
                        decoder.decode(&packet.payload, &mut sound).unwrap();
                        let frame: Frame = sound.as_slice().try_into().expect("packets of 20 ms");
                        let mut heard = ears.lock().unwrap();
                        heard.meter.feed(&frame);
                        heard.level = rms(&frame);
                        heard.frames += 1;
                    }
                    PeerEvent::TelephoneEvent(key) => ears.lock().unwrap().keys.push(key),
                    _ => {}
                }
            }
        });
        let mouth = peer.clone();
        let speak = tokio::spawn(async move {
            let codec = loop {
                match mouth.negotiated().await {
                    Ok(Some(agreed)) => break agreed.codec,
                    Ok(None) => tokio::time::sleep(Duration::from_millis(5)).await,
                    Err(_) => return,
                }
            };
            let (mut encoder, mut tone) = (Encoder::new(codec).unwrap(), Tone::new(hz, -12.0));
            let mut clock = tokio::time::interval(Duration::from_millis(20));
            loop {
                clock.tick().await;
                mouth.send(codec, encoder.encode(&tone.next_frame()).unwrap());
            }
        });
        Self { peer, heard, tasks: [listen, speak] }
    }

    pub(crate) fn gateway(codecs: &[CodecName], hz: f32) -> Self {
        Self::start(PeerOptions::gateway(codecs.to_vec(), ([127, 0, 0, 1], 0).into()), hz)
    }

    pub(crate) fn keys(&self) -> String {
        self.heard.lock().unwrap().keys.clone()
    }

    pub(crate) fn frames(&self) -> u64 {
        self.heard.lock().unwrap().frames
    }

    pub(crate) fn level(&self) -> f32 {
        self.heard.lock().unwrap().level
    }

    /// Measures anew until `frames` more have come.
    pub(crate) async fn measure(&self, frames: u64) -> SignalReport {
        self.heard.lock().unwrap().meter.reset();
        within("enough frames at the far end", async {
            loop {
                let report = self.heard.lock().unwrap().meter.report();
                if report.frames >= frames {
                    return report;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await
    }
}

impl Drop for FarEnd {
    fn drop(&mut self) {
        self.tasks.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

/// Whether a level is that of muted sound.
pub(crate) fn is_silence(level: f32) -> bool {
    level < 0.001
}
