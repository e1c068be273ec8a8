use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dialer_media::api::{
    AudioDevice, CodecName, ConnectionState, DeviceKind, IceState, PeerId, SdpType, StatsEntry, VoiceEvent,
};
use dialer_media::devices::{AudioDevices, Capture, DEFAULT_DEVICE, DeviceError, Playout, ToneDevices};
use dialer_media::engine::VoiceError;
use dialer_media::signal::SignalReport;
#[cfg(target_os = "linux")]
use dialer_media::transport::PeerOptions;

use crate::agent::Agent;
use crate::far_end::{FarEnd, is_silence};
use crate::wait::within;

const BOTH: [CodecName; 2] = [CodecName::Opus, CodecName::Pcmu];

/// A whole second of the tone without a hole.
fn is_clean(report: &SignalReport, hz: f32) -> bool {
    let right = report.dominant.is_some_and(|dominant| (dominant.hz - hz).abs() < 3.0);
    right && report.dropouts == 0 && report.blocks > 80
}

/// Measures a second at a time until one is clean: a busy computer may spoil some, a defect spoils all.
async fn clean_second(devices: &ToneDevices, hz: f32) -> SignalReport {
    within("a clean second at the loudspeaker", async {
        loop {
            devices.reset_meter();
            while devices.playout_report().frames < 50 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let report = devices.playout_report();
            if is_clean(&report, hz) {
                return report;
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_tone_travels_both_ways_in_calls_of_either_direction() {
    for codec in BOTH {
        for outgoing in [true, false] {
            let devices = Arc::new(ToneDevices::new(440.0));
            let far_end = FarEnd::gateway(&[codec], 1_000.0);
            let mut agent = Agent::new(devices.clone()).await;
            if outgoing {
                agent.call(&far_end, &BOTH).await
            } else {
                agent.answer(&far_end, &BOTH).await
            }
            let there = within("a clean second at the far end", async {
                loop {
                    let report = far_end.measure(50).await;
                    if is_clean(&report, 440.0) {
                        return report;
                    }
                }
            })
            .await;
            let back = clean_second(&devices, 1_000.0).await;
            for report in [there, back] {
                assert!((report.dominant.unwrap().level_dbfs + 12.0).abs() < 2.0, "{codec:?} {report:?}");
            }
            agent.engine.close(agent.peer).await.unwrap();
        }
    }
}

#[tokio::test]
async fn the_page_hears_of_candidates_states_and_levels() {
    let far_end = FarEnd::gateway(&BOTH, 1_000.0);
    let mut agent = Agent::new(Arc::new(ToneDevices::new(440.0))).await;
    let offer = agent.engine.create_offer(agent.peer, BOTH.to_vec(), false).await.unwrap();
    assert!(!offer.contains("a=candidate"), "the SDK does not wait for candidates");
    // The SDK's limit on the bit rate, put where it puts it.
    let munged = offer.replacen("useinbandfec=1\r\n", "useinbandfec=1\r;maxaveragebitrate=20000\n", 1);
    assert_ne!(munged, offer);
    agent.engine.set_local(agent.peer, SdpType::Offer, munged.clone()).await.unwrap();
    let mut candidates = Vec::new();
    agent
        .event("the end of gathering", |event| match event {
            VoiceEvent::IceCandidate { candidate, .. } => {
                candidates.push(candidate);
                None
            }
            VoiceEvent::GatheringComplete { .. } => Some(()),
            _ => None,
        })
        .await;
    assert!(
        candidates
            .iter()
            .all(|candidate| candidate.starts_with("candidate:") && candidate.contains(" typ host"))
    );
    assert!(candidates.iter().any(|candidate| candidate.contains(" 127.0.0.1 ")), "{candidates:?}");
    let answer = far_end.peer.accept_offer(munged).await.unwrap();
    agent.engine.set_remote(agent.peer, SdpType::Answer, answer).await.unwrap();
    let mut states = Vec::new();
    agent
        .event("the connection", |event| match event {
            VoiceEvent::IceConnectionState { state, .. } => {
                states.push(format!("ice {state:?}"));
                None
            }
            VoiceEvent::ConnectionState { state, .. } => {
                states.push(format!("{state:?}"));
                (state == ConnectionState::Connected).then_some(())
            }
            _ => None,
        })
        .await;
    assert_eq!(states, ["ice Checking", "Connecting", "ice Connected", "Connected"]);
    agent
        .event("levels of both sides", |event| match event {
            VoiceEvent::Levels { input, output, .. } => {
                // −12 dBFS is a quarter of full scale at its peak.
                ((input - 0.178).abs() < 0.02 && (output - 0.178).abs() < 0.04).then_some(())
            }
            _ => None,
        })
        .await;
}

#[tokio::test]
async fn muting_sends_silence_and_not_nothing() {
    let far_end = FarEnd::gateway(&BOTH, 1_000.0);
    let mut agent = Agent::new(Arc::new(ToneDevices::new(440.0))).await;
    agent.call(&far_end, &BOTH).await;
    let level = async |silent: bool| {
        within("the change at the far end", async {
            while is_silence(far_end.level()) != silent || far_end.frames() == 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
    };
    level(false).await;
    agent.engine.set_muted(agent.peer, true).await.unwrap();
    level(true).await;
    let report = far_end.measure(30).await;
    assert!(report.level_dbfs < -70.0, "{report:?}");
    agent
        .event("the muted level", |event| {
            matches!(event, VoiceEvent::Levels { input, .. } if is_silence(input)).then_some(())
        })
        .await;
    agent.engine.set_muted(agent.peer, false).await.unwrap();
    level(false).await;
}

#[tokio::test]
async fn keys_are_sent_with_the_sound_where_the_clocks_agree() {
    let far_end = FarEnd::gateway(&[CodecName::Pcmu], 1_000.0);
    let mut agent = Agent::new(Arc::new(ToneDevices::new(440.0))).await;
    assert!(!agent.engine.can_send_dtmf(agent.peer).await.unwrap());
    agent.call(&far_end, &BOTH).await;
    assert!(agent.engine.can_send_dtmf(agent.peer).await.unwrap());
    agent.engine.insert_dtmf(agent.peer, "15#*".into(), 80, 40).await.unwrap();
    within("the keys", async {
        while far_end.keys().len() < 4 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    assert_eq!(far_end.keys(), "15#*");
}

#[tokio::test]
async fn opus_against_8000_hz_events_says_so() {
    let far_end = FarEnd::gateway(&BOTH, 1_000.0);
    let mut agent = Agent::new(Arc::new(ToneDevices::new(440.0))).await;
    agent.call(&far_end, &BOTH).await;
    assert!(!agent.engine.can_send_dtmf(agent.peer).await.unwrap());
    let refused = agent.engine.insert_dtmf(agent.peer, "1".into(), 80, 40).await;
    assert!(matches!(refused, Err(VoiceError::NoTelephoneEvents)));
}

/// A computer without sound, until a switch is thrown.
struct Missing {
    present: Arc<AtomicBool>,
    later: ToneDevices,
}

impl AudioDevices for Missing {
    fn list(&self) -> Result<Vec<AudioDevice>, DeviceError> {
        Ok(Vec::new())
    }

    fn open_capture(&self, id: &str, wake: std::thread::Thread) -> Result<Capture, DeviceError> {
        if self.present.load(Ordering::Relaxed) {
            self.later.open_capture(id, wake)
        } else {
            Err(DeviceError::NoMicrophone)
        }
    }

    fn open_playout(&self, id: &str, wake: std::thread::Thread) -> Result<Playout, DeviceError> {
        if self.present.load(Ordering::Relaxed) {
            self.later.open_playout(id, wake)
        } else {
            Err(DeviceError::NoSpeaker)
        }
    }
}

#[tokio::test]
async fn without_any_device_the_call_connects_tells_why_and_uses_one_that_comes() {
    let present = Arc::new(AtomicBool::new(false));
    let devices = Arc::new(Missing { present: present.clone(), later: ToneDevices::new(440.0) });
    let far_end = FarEnd::gateway(&BOTH, 1_000.0);
    let mut agent = Agent::new(devices.clone()).await;
    assert_eq!(agent.engine.devices().await.unwrap(), []);
    agent.call(&far_end, &BOTH).await;
    let silent = far_end.measure(25).await;
    assert!(silent.level_dbfs < -70.0 && silent.frames >= 25, "silence flows: {silent:?}");
    // The far end is still decoded: its level moves.
    let mut notices = Vec::new();
    agent
        .event("notices and the far end's level", |event| {
            match event {
                VoiceEvent::DeviceNotice { device, trouble: true, message, .. } => {
                    notices.push((device, message))
                }
                VoiceEvent::Levels { output, .. } if output > 0.1 => return Some(()),
                _ => {}
            }
            None
        })
        .await;
    present.store(true, Ordering::Relaxed);
    let mut recovered = Vec::new();
    agent
        .event("both devices", |event| {
            if let VoiceEvent::DeviceNotice { device, trouble, message, .. } = event {
                if trouble { notices.push((device, message)) } else { recovered.push(device) }
            }
            (recovered.len() == 2).then_some(())
        })
        .await;
    let told = |kind| notices.iter().filter(|(device, _)| *device == kind).count();
    // The connection may have come up before or after the notices, but each is told once.
    assert!(told(DeviceKind::Microphone) <= 1 && told(DeviceKind::Speaker) <= 1, "{notices:?}");
    clean_second(&devices.later, 1_000.0).await;
    within("the microphone's tone", async { while far_end.measure(30).await.dominant.is_none() {} }).await;
}

#[tokio::test]
async fn missing_devices_are_named_with_the_cure() {
    let devices = Arc::new(Missing { present: Arc::default(), later: ToneDevices::new(440.0) });
    let mut agent = Agent::new(devices).await;
    agent.engine.create_offer(agent.peer, BOTH.to_vec(), false).await.unwrap();
    let mut messages = Vec::new();
    agent
        .event("two notices", |event| {
            if let VoiceEvent::DeviceNotice { trouble: true, message, .. } = event {
                messages.push(message);
            }
            (messages.len() == 2).then_some(())
        })
        .await;
    assert!(
        messages.iter().any(|message| message.contains("microphone") && message.contains("Connect one")),
        "{messages:?}"
    );
    assert!(
        messages.iter().any(|message| message.contains("loudspeaker") && message.contains("Connect one")),
        "{messages:?}"
    );
}

#[tokio::test]
async fn wrong_commands_are_errors_and_never_panics() {
    let far_end = FarEnd::gateway(&BOTH, 1_000.0);
    let mut agent = Agent::new(Arc::new(ToneDevices::new(440.0))).await;
    let (engine, peer) = (agent.engine.clone(), agent.peer);
    assert!(matches!(engine.stats(PeerId(99)).await, Err(VoiceError::UnknownPeer(99))));
    assert!(matches!(engine.create_answer(peer, BOTH.to_vec()).await, Err(VoiceError::OutOfOrder(_))));
    assert!(matches!(engine.create_offer(peer, Vec::new(), false).await, Err(VoiceError::NoCodec)));
    assert!(engine.set_remote(peer, SdpType::Answer, "v=0\r\n".into()).await.is_err());
    for rubbish in ["", "rubbish", "v=0\r\n", "v=0\r\nm=audio 9 RTP/SAVPF 0\r\n", "\u{0}\u{1}\u{2}"] {
        assert!(engine.set_remote(peer, SdpType::Offer, rubbish.into()).await.is_err(), "{rubbish:?}");
        assert!(engine.set_local(peer, SdpType::Offer, rubbish.into()).await.is_err(), "{rubbish:?}");
    }
    let first = engine.create_offer(peer, vec![CodecName::Pcmu], false).await.unwrap();
    // Other codecs before anything is agreed: a new offer, and the old one is no longer ours.
    let second = engine.create_offer(peer, BOTH.to_vec(), true).await.unwrap();
    assert!(matches!(engine.set_local(peer, SdpType::Offer, first).await, Err(VoiceError::OutOfOrder(_))));
    assert!(matches!(engine.set_local(peer, SdpType::Answer, second).await, Err(VoiceError::OutOfOrder(_))));
    agent.call(&far_end, &BOTH).await;
}

#[tokio::test]
async fn an_ice_restart_goes_through_the_same_commands() {
    let far_end = FarEnd::gateway(&BOTH, 1_000.0);
    let devices = Arc::new(ToneDevices::new(440.0));
    let mut agent = Agent::new(devices.clone()).await;
    agent.call(&far_end, &BOTH).await;
    let offer = agent.engine.create_offer(agent.peer, BOTH.to_vec(), true).await.unwrap();
    agent.engine.set_local(agent.peer, SdpType::Offer, offer.clone()).await.unwrap();
    let answer = far_end.peer.accept_offer(offer).await.unwrap();
    agent.engine.set_remote(agent.peer, SdpType::Answer, answer).await.unwrap();
    agent
        .event("the new path", |event| match event {
            VoiceEvent::IceConnectionState { state: IceState::Connected, .. } => Some(()),
            _ => None,
        })
        .await;
    clean_second(&devices, 1_000.0).await;
    assert!(far_end.measure(30).await.dominant.is_some());
}

#[tokio::test]
async fn statistics_have_what_the_sdk_reads_and_stand_still_with_the_call() {
    let far_end = FarEnd::gateway(&BOTH, 1_000.0);
    let mut agent = Agent::new(Arc::new(ToneDevices::new(440.0))).await;
    assert_eq!(agent.stats().await.len(), 1, "the transport alone");
    agent.call(&far_end, &BOTH).await;
    let complete = within("round trip and pair", async {
        loop {
            let entries = agent.stats().await;
            let round_trip = entries
                .iter()
                .any(|entry| matches!(entry, StatsEntry::RemoteInboundRtp { round_trip_time: Some(_), .. }));
            let pair =
                entries.iter().any(|entry| matches!(entry, StatsEntry::CandidatePair { selected: true, .. }));
            if round_trip && pair {
                return entries;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    let received = |entries: &[StatsEntry]| {
        entries
            .iter()
            .find_map(|entry| match entry {
                StatsEntry::InboundRtp { packets_received, bytes_received, packets_lost, .. } => {
                    Some((*packets_received, *bytes_received, *packets_lost))
                }
                _ => None,
            })
            .unwrap()
    };
    assert!(received(&complete).0 > 10 && received(&complete).1 > 100, "{complete:?}");
    assert!(complete.iter().any(
        |entry| matches!(entry, StatsEntry::Codec { mime_type, clock_rate: 48_000, .. } if mime_type == "audio/opus")
    ));
    assert!(
        complete
            .iter()
            .any(|entry| matches!(entry, StatsEntry::OutboundRtp { packets_sent, .. } if *packets_sent > 10))
    );
    assert!(
        complete
            .iter()
            .any(|entry| matches!(entry, StatsEntry::LocalCandidate { id, .. } if id == "local-candidate"))
    );
    far_end.peer.close().await;
    let mut before = received(&agent.stats().await);
    within("counters that stand still", async {
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let after = received(&agent.stats().await);
            if after == before {
                return;
            }
            before = after;
        }
    })
    .await;
}

#[tokio::test]
async fn after_close_there_is_no_word_and_no_trace() {
    let far_end = FarEnd::gateway(&BOTH, 1_000.0);
    let mut agent = Agent::new(Arc::new(ToneDevices::new(440.0))).await;
    agent.call(&far_end, &BOTH).await;
    agent.engine.close(agent.peer).await.unwrap();
    while agent.events.try_recv().is_ok() {}
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(agent.events.try_recv().is_err(), "an event after the close");
    assert!(matches!(agent.engine.stats(agent.peer).await, Err(VoiceError::UnknownPeer(_))));
    agent.engine.close(agent.peer).await.unwrap();
}

#[tokio::test]
async fn the_synthetic_devices_are_listed() {
    let agent = Agent::new(Arc::new(ToneDevices::new(440.0))).await;
    let listed = agent.engine.devices().await.unwrap();
    assert_eq!(
        listed.iter().map(|device| device.kind).collect::<Vec<_>>(),
        [DeviceKind::Microphone, DeviceKind::Speaker]
    );
    assert!(listed.iter().all(|device| device.id == DEFAULT_DEVICE));
}

/// Threads and open files of this process.
#[cfg(target_os = "linux")]
fn footprint() -> (usize, usize) {
    let count = |path| std::fs::read_dir(path).unwrap().count();
    (count("/proc/self/task"), count("/proc/self/fd"))
}

/// Runs alone in a process of its own: other tests' threads and sockets would be counted too.
#[cfg(target_os = "linux")]
#[test]
fn hundreds_of_calls_leave_no_thread_and_no_socket() {
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "engine::many_calls", "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&child.stdout);
    assert!(
        child.status.success() && text.contains("1 passed"),
        "{text}{}",
        String::from_utf8_lossy(&child.stderr)
    );
}

#[cfg(target_os = "linux")]
#[tokio::test]
#[ignore = "counts the threads of the whole process; hundreds_of_calls_leave_no_thread_and_no_socket runs it alone"]
async fn many_calls() {
    async fn one(close: bool) {
        let far_end = FarEnd::start(PeerOptions::gateway(BOTH.to_vec(), ([127, 0, 0, 1], 0).into()), 1_000.0);
        let mut agent = Agent::new(Arc::new(ToneDevices::new(440.0))).await;
        let offer = agent.engine.create_offer(agent.peer, BOTH.to_vec(), false).await.unwrap();
        agent.engine.set_local(agent.peer, SdpType::Offer, offer.clone()).await.unwrap();
        if close {
            let answer = far_end.peer.accept_offer(offer).await.unwrap();
            agent.engine.set_remote(agent.peer, SdpType::Answer, answer).await.unwrap();
            agent.connected().await;
            agent.engine.close(agent.peer).await.unwrap();
        }
        far_end.peer.close().await;
    }
    for round in 0..10 {
        one(round % 2 == 0).await;
    }
    let settled = |limit: (usize, usize)| async move {
        within("the end of all threads and sockets", async {
            loop {
                let now = footprint();
                if now.0 <= limit.0 && now.1 <= limit.1 {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
        .await;
    };
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = footprint();
    for round in 0..300 {
        one(round % 3 == 0).await;
    }
    settled((before.0 + 1, before.1)).await;
}
