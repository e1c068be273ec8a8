//! The sound thread of one call: microphone to packets, packets to loudspeaker.
//!
//! The microphone's own pace decides when a packet leaves, the loudspeaker's when a frame is taken
//! from the jitter buffer. Without a device a timer takes its place, so packets keep flowing and
//! levels keep moving.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;

use super::opener::Opener;
use super::{EngineOptions, VoiceError};
use crate::api::{CodecName, DeviceKind, PeerId, VoiceEvent};
use crate::codec::{Encoder, FRAME_MS, FRAME_SAMPLES, Frame, SAMPLE_RATE, SILENCE};
use crate::devices::{Capture, DeviceError, Playout};
use crate::jitter::{AudioPacket, JitterBuffer, JitterCounts};
use crate::resample::Resampler;
use crate::transport::PeerHandle;

const FRAME: Duration = Duration::from_millis(FRAME_MS);
/// How often levels are told.
const LEVELS: Duration = Duration::from_millis(50);
/// A microphone that gives nothing for this long is replaced by the timer until it speaks again.
const CAPTURE_PATIENCE: Duration = Duration::from_millis(100);
/// The loudspeaker's ring is filled up to this: two of its usual 10 ms bites.
const PLAYOUT_WATER_MS: u32 = 20;
/// A timer that is further behind than this starts afresh instead of catching up.
const MAX_BEHIND: Duration = Duration::from_millis(100);
/// Frames of the microphone kept at most when the thread was held up.
const MAX_CAPTURED: usize = 5 * FRAME_SAMPLES;

/// What the sound thread is told.
pub(super) enum Order {
    /// A packet has come.
    Packet(AudioPacket),
    /// Begin to send, or go on with another codec.
    Encode { peer: PeerHandle, codec: CodecName, max_bitrate: Option<u32> },
    /// The microphone is open.
    Capture(Box<Capture>),
    /// The loudspeaker is open.
    Playout(Box<Playout>),
    /// A device cannot be opened.
    Trouble(Trouble),
    /// The call is over.
    Stop,
}

/// A device that cannot be had.
pub(super) struct Trouble {
    pub(super) kind: DeviceKind,
    pub(super) error: DeviceError,
}

/// What the sound thread leaves for `getStats`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SoundCounts {
    pub(super) jitter: JitterCounts,
    pub(super) waiting_samples: usize,
}

/// A running sound thread. Dropping it stops the thread and its devices.
pub(super) struct Sound {
    orders: Sender<Order>,
    thread: Option<JoinHandle<()>>,
    counts: Arc<Mutex<SoundCounts>>,
    /// The openers' sign that the call lasts.
    _alive: Arc<()>,
}

impl Sound {
    /// Starts the thread and begins to open both devices.
    pub(super) fn start(
        id: PeerId,
        options: &EngineOptions,
        events: UnboundedSender<VoiceEvent>,
        muted: Arc<AtomicBool>,
    ) -> Result<Self, VoiceError> {
        let (orders, receiver) = channel();
        let counts = Arc::<Mutex<SoundCounts>>::default();
        let alive = Arc::new(());
        let opener = Opener {
            devices: Arc::clone(&options.devices),
            orders: orders.clone(),
            alive: Arc::downgrade(&alive),
        };
        let now = Instant::now();
        let mut desk = Desk {
            id,
            events,
            opener: opener.clone(),
            muted,
            counts: Arc::clone(&counts),
            jitter: JitterBuffer::new(options.jitter),
            sender: None,
            capture: None,
            captured: Vec::with_capacity(2 * MAX_CAPTURED),
            heard_at: now,
            next_send: now,
            playout: None,
            next_play: now,
            troubled: Vec::new(),
            input: Level::default(),
            output: Level::default(),
            next_levels: now + LEVELS,
        };
        let thread = thread::Builder::new().name("call-sound".into()).spawn(move || desk.run(&receiver))?;
        for kind in [DeviceKind::Microphone, DeviceKind::Speaker] {
            opener.open(kind, thread.thread().clone(), false);
        }
        Ok(Self { orders, thread: Some(thread), counts, _alive: alive })
    }

    pub(super) fn order(&self, order: Order) {
        // The thread ends only when told to.
        let _ = self.orders.send(order);
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }

    /// Hands packets to the thread without waking it: it looks every few milliseconds anyway.
    pub(super) fn packets(&self) -> Sender<Order> {
        self.orders.clone()
    }

    pub(super) fn counts(&self) -> SoundCounts {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops and waits until devices are closed. May take a moment: call it from a blocking task.
    pub(super) fn stop(&mut self) {
        self.order(Order::Stop);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the sound thread of a call had panicked");
        }
    }
}

impl Drop for Sound {
    fn drop(&mut self) {
        self.order(Order::Stop);
    }
}

struct Microphone {
    device: Box<Capture>,
    resampler: Resampler,
}

struct Speaker {
    device: Box<Playout>,
    resampler: Resampler,
    /// Samples at the device's rate that did not fit yet.
    pending: Vec<i16>,
}

struct Sending {
    peer: PeerHandle,
    encoder: Encoder,
}

/// Everything the thread works with.
struct Desk {
    id: PeerId,
    events: UnboundedSender<VoiceEvent>,
    opener: Opener,
    muted: Arc<AtomicBool>,
    counts: Arc<Mutex<SoundCounts>>,
    jitter: JitterBuffer,
    sender: Option<Sending>,
    capture: Option<Microphone>,
    /// Captured sound at 48 kHz that does not fill a frame yet.
    captured: Vec<i16>,
    /// When the microphone last gave something.
    heard_at: Instant,
    next_send: Instant,
    playout: Option<Speaker>,
    next_play: Instant,
    /// Devices the agent has been told about.
    troubled: Vec<DeviceKind>,
    input: Level,
    output: Level,
    next_levels: Instant,
}

impl Desk {
    fn run(&mut self, orders: &Receiver<Order>) {
        loop {
            loop {
                match orders.try_recv() {
                    Ok(Order::Stop) | Err(TryRecvError::Disconnected) => return,
                    Ok(order) => self.obey(order),
                    Err(TryRecvError::Empty) => break,
                }
            }
            self.look_after_devices();
            let now = Instant::now();
            self.send(now);
            self.play(now);
            self.tell_levels(now);
            let wake = self.next_send.min(self.next_play).min(self.next_levels).min(now + FRAME / 2);
            // Devices unpark the thread when they have or need something; the limit is for packets.
            thread::park_timeout(wake.saturating_duration_since(Instant::now()));
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Packet(packet) => {
                if let Err(error) = self.jitter.push(packet) {
                    tracing::error!(%error, "no decoder could be made");
                }
            }
            Order::Encode { peer, codec, max_bitrate } => self.encode_with(peer, codec, max_bitrate),
            Order::Capture(device) => {
                let resampler = Resampler::new(device.sample_rate, SAMPLE_RATE);
                self.capture = Some(Microphone { device, resampler });
                self.heard_at = Instant::now();
                self.recovered(DeviceKind::Microphone, "The microphone works again.");
            }
            Order::Playout(device) => {
                let resampler = Resampler::new(SAMPLE_RATE, device.sample_rate);
                self.playout = Some(Speaker { device, resampler, pending: Vec::new() });
                self.recovered(DeviceKind::Speaker, "The loudspeaker works again.");
            }
            Order::Trouble(trouble) => self.complain(trouble.kind, &trouble.error),
            // Taken by the loop.
            Order::Stop => {}
        }
    }

    fn encode_with(&mut self, peer: PeerHandle, codec: CodecName, max_bitrate: Option<u32>) {
        let kept = self.sender.take().filter(|sender| sender.encoder.codec() == codec);
        let encoder = match kept.map_or_else(|| Encoder::new(codec), |sender| Ok(sender.encoder)) {
            Ok(encoder) => encoder,
            Err(error) => {
                tracing::error!(%error, "no encoder could be made");
                return;
            }
        };
        let mut sending = Sending { peer, encoder };
        if let Some(limit) = max_bitrate
            && let Err(error) = sending.encoder.limit_bitrate(limit)
        {
            tracing::warn!(%error, "the far end's bit rate limit could not be kept");
        }
        self.sender = Some(sending);
    }

    /// Lets go of devices that have failed and starts to get them back.
    fn look_after_devices(&mut self) {
        if let Some(error) =
            self.capture.as_ref().and_then(|microphone| microphone.device.faults.try_recv().ok())
        {
            self.capture = None;
            self.complain(DeviceKind::Microphone, &error);
            self.opener.open(DeviceKind::Microphone, thread::current(), true);
        }
        if let Some(error) = self.playout.as_ref().and_then(|speaker| speaker.device.faults.try_recv().ok()) {
            self.playout = None;
            self.complain(DeviceKind::Speaker, &error);
            self.opener.open(DeviceKind::Speaker, thread::current(), true);
        }
    }

    fn complain(&mut self, device: DeviceKind, error: &DeviceError) {
        if !self.troubled.contains(&device) {
            self.troubled.push(device);
        }
        self.tell(VoiceEvent::DeviceNotice {
            peer: Some(self.id),
            device,
            trouble: true,
            message: error.to_string(),
        });
    }

    fn recovered(&mut self, device: DeviceKind, message: &str) {
        // Told even if this call had no trouble with it: the call before may have ended in trouble, and
        // its notice would stand until someone says that the device works.
        self.troubled.retain(|known| *known != device);
        self.tell(VoiceEvent::DeviceNotice {
            peer: Some(self.id),
            device,
            trouble: false,
            message: message.into(),
        });
    }

    /// Sends what the microphone has heard, or silence in its place.
    fn send(&mut self, now: Instant) {
        if let Some(microphone) = &mut self.capture {
            let count = microphone.device.samples.slots();
            if count > 0 {
                self.heard_at = now;
                if let Ok(chunk) = microphone.device.samples.read_chunk(count) {
                    let (first, second) = chunk.as_slices();
                    microphone.resampler.process(first, &mut self.captured);
                    microphone.resampler.process(second, &mut self.captured);
                    chunk.commit_all();
                }
            }
        }
        // After a hold-up the oldest goes: late speech is worse than a gap.
        let excess = self.captured.len().saturating_sub(MAX_CAPTURED);
        self.captured.drain(..excess);
        while let Some(frame) = self.captured.first_chunk::<FRAME_SAMPLES>().copied() {
            self.captured.drain(..FRAME_SAMPLES);
            self.send_frame(&frame);
            self.next_send = now + CAPTURE_PATIENCE;
        }
        let silent = self.capture.is_none() || now >= self.heard_at + CAPTURE_PATIENCE;
        if !silent {
            self.next_send = self.next_send.max(now + FRAME);
            return;
        }
        self.next_send = catch_up(self.next_send.min(now + FRAME), now);
        while self.next_send <= now {
            self.send_frame(&SILENCE);
            self.next_send += FRAME;
        }
    }

    fn send_frame(&mut self, frame: &Frame) {
        let frame = if self.muted.load(Ordering::Relaxed) { &SILENCE } else { frame };
        self.input.add(frame);
        let Some(sender) = &mut self.sender else { return };
        match sender.encoder.encode(frame) {
            Ok(payload) => sender.peer.send(sender.encoder.codec(), payload),
            Err(error) => tracing::error!(%error, "a frame could not be encoded"),
        }
    }

    /// Keeps the loudspeaker supplied, or plays for the levels alone.
    fn play(&mut self, now: Instant) {
        let Some(mut speaker) = self.playout.take() else {
            self.next_play = catch_up(self.next_play, now);
            while self.next_play <= now {
                self.next_frame();
                self.next_play += FRAME;
            }
            return;
        };
        let rate = speaker.device.sample_rate;
        let water = (rate * PLAYOUT_WATER_MS / 1_000) as usize;
        loop {
            let capacity = speaker.device.samples.buffer().capacity();
            let waiting = capacity - speaker.device.samples.slots() + speaker.pending.len();
            if waiting >= water {
                break;
            }
            let frame = self.next_frame();
            speaker.resampler.process(&frame, &mut speaker.pending);
            let room = speaker.device.samples.slots().min(speaker.pending.len());
            for sample in speaker.pending.drain(..room) {
                // There is room for each of them.
                let _ = speaker.device.samples.push(sample);
            }
        }
        self.playout = Some(speaker);
        self.next_play = now + FRAME;
    }

    fn next_frame(&mut self) -> Frame {
        let frame = self.jitter.pop();
        self.output.add(&frame);
        let counts =
            SoundCounts { jitter: self.jitter.counts(), waiting_samples: self.jitter.waiting_samples() };
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner) = counts;
        frame
    }

    fn tell_levels(&mut self, now: Instant) {
        if now < self.next_levels {
            return;
        }
        self.next_levels = catch_up(self.next_levels, now) + LEVELS;
        let (input, output) = (self.input.take(), self.output.take());
        self.tell(VoiceEvent::Levels { peer: self.id, input, output });
    }

    fn tell(&self, event: VoiceEvent) {
        // Nobody listening does not stop a call.
        let _ = self.events.send(event);
    }
}

/// A timer that fell far behind forgets the missed ticks.
fn catch_up(due: Instant, now: Instant) -> Instant {
    if now.saturating_duration_since(due) > MAX_BEHIND { now } else { due }
}

/// Root mean square over whatever was added, as a share of full scale. Nothing added keeps the last value.
#[derive(Default)]
struct Level {
    power: f64,
    samples: usize,
    last: f32,
}

impl Level {
    fn add(&mut self, frame: &Frame) {
        let level = f64::from(crate::signal::rms(frame));
        self.power += level * level * frame.len() as f64;
        self.samples += frame.len();
    }

    fn take(&mut self) -> f32 {
        if self.samples > 0 {
            #[expect(clippy::cast_possible_truncation, reason = "a level needs no more than f32")]
            let level = (self.power / self.samples as f64).sqrt() as f32;
            self.last = level;
        }
        self.power = 0.0;
        self.samples = 0;
        self.last
    }
}
