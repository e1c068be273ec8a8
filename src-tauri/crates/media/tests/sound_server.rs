//! A call through a real sound server: a private PulseAudio with a cable for a microphone.
//!
//! The server's address travels in the environment, so the call runs in a process of its own.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use dialer_media::api::{CodecName, DeviceKind};
use dialer_media::codec::{FRAME_SAMPLES, Frame, SAMPLE_RATE};
use dialer_media::devices::{AudioDevices as _, SystemDevices};
use dialer_media::recording::{RECORDED_RATE, Recorder, wav};
use dialer_media::resample::Resampler;
use dialer_media::signal::{SignalMeter, SignalReport, Tone};

use crate::agent::Agent;
use crate::far_end::FarEnd;
use crate::wait::{LIMIT, within};

const NEEDED: &str = "install PulseAudio for this test: apt-get install pulseaudio pulseaudio-utils";

/// A process that ends with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start_server(folder: &Path) -> (Process, String) {
    let socket = folder.join("native");
    let child = Command::new("pulseaudio")
        .args(["--daemonize=no", "-n", "--exit-idle-time=-1", "--use-pid-file=no", "--disable-shm=yes"])
        .args(["-L", &format!("module-native-protocol-unix socket={} auth-anonymous=1", socket.display())])
        .args(["-L", "module-null-sink sink_name=speaker"])
        .args(["-L", "module-null-sink sink_name=cable"])
        .args(["-L", "module-remap-source source_name=mic master=cable.monitor"])
        .env("XDG_RUNTIME_DIR", folder)
        .env("PULSE_RUNTIME_PATH", folder)
        .env("PULSE_STATE_PATH", folder)
        .env("HOME", folder)
        .env_remove("PULSE_SERVER")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect(NEEDED);
    let server = Process(child);
    let address = format!("unix:{}", socket.display());
    let began = Instant::now();
    for command in [["set-default-sink", "speaker"], ["set-default-source", "mic"]] {
        while !Command::new("pactl")
            .args(["-s", &address])
            .args(command)
            .stderr(Stdio::null())
            .status()
            .expect(NEEDED)
            .success()
        {
            assert!(began.elapsed() < LIMIT, "the private PulseAudio did not start");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    (server, address)
}

/// Runs the ignored test `name` of this file in a program of its own, with a sound server of its own.
fn with_a_server(name: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (_server, address) = start_server(folder.path());
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("sound_server::{name}"), "--ignored", "--nocapture"])
        .env("PULSE_SERVER", address)
        .env("HOME", folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_call_through_a_sound_server() {
    with_a_server("the_call");
}

#[test]
fn a_greeting_through_a_sound_server() {
    with_a_server("the_greeting");
}

#[test]
#[ignore = "needs a sound server of its own; a_greeting_through_a_sound_server starts one"]
fn the_greeting() {
    let _voice = speak(440.0);
    let (tell, told) = std::sync::mpsc::channel();
    let recorder = Recorder::start(
        Arc::new(SystemDevices),
        "pulseaudio:mic".into(),
        Duration::from_secs(60),
        // The test may be over.
        move |now| drop(tell.send(now)),
    )
    .unwrap();
    // The voice may begin later than the microphone: what is measured is the last second.
    let mut loud = 0;
    while loud < 15 {
        let now = told.recv_timeout(LIMIT).unwrap();
        assert!(!now.over, "{now:?}");
        loud = if now.level > 0.1 { loud + 1 } else { 0 };
    }
    let samples = recorder.finish();
    let file = wav(&samples);
    assert_eq!(
        (&file[..4], &file[24..28], file.len()),
        (&b"RIFF"[..], &RECORDED_RATE.to_le_bytes()[..], 44 + 2 * samples.len())
    );
    let last: Vec<i16> = file[44..]
        .chunks_exact(2)
        .map(|bytes| i16::from_le_bytes([bytes[0], bytes[1]]))
        .skip(samples.len() - RECORDED_RATE as usize)
        .collect();
    let (mut meter, mut at_48) = (SignalMeter::new(), Vec::new());
    Resampler::new(RECORDED_RATE, SAMPLE_RATE).process(&last, &mut at_48);
    at_48.as_chunks().0.iter().for_each(|frame| meter.feed(frame));
    let dominant = meter.report().dominant.unwrap();
    assert!((dominant.hz - 440.0).abs() < 3.0 && (dominant.level_dbfs + 12.0).abs() < 2.0, "{dominant:?}");
}

#[test]
fn without_a_sound_server_the_cure_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "sound_server::no_server", "--ignored", "--nocapture"])
        .env("PULSE_SERVER", format!("unix:{}/nothing", folder.path().display()))
        .env("XDG_RUNTIME_DIR", folder.path())
        .env("PULSE_RUNTIME_PATH", folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
#[ignore = "needs an environment without a sound server; without_a_sound_server_the_cure_is_named gives it one"]
fn no_server() {
    let problem = SystemDevices.open_capture("default", std::thread::current()).err().unwrap().to_string();
    assert!(problem.contains("PipeWire"), "{problem}");
}

/// Plays a tone into the cable, as a voice into a microphone.
fn speak(hz: f32) -> Process {
    let mut player = Command::new("pacat")
        .args([
            "--playback",
            "--device=cable",
            "--raw",
            "--format=s16le",
            "--rate=48000",
            "--channels=1",
            "--latency-msec=20",
        ])
        .stdin(Stdio::piped())
        .spawn()
        .expect(NEEDED);
    let mut input = player.stdin.take().unwrap();
    let mut tone = Tone::new(hz, -12.0);
    std::thread::spawn(move || {
        // Ends when the player does.
        while input.write_all(&tone.next_frame().map(i16::to_le_bytes).concat()).is_ok() {}
    });
    Process(player)
}

/// Frames of one measurement: 300 ms. The sound server has no claim to the processor here, and on a
/// busy computer cannot keep up for longer; a defect would show in every frame.
const STRETCH: u64 = 15;

/// A stretch of the tone without a hole.
fn is_clean(report: &SignalReport, hz: f32) -> bool {
    let right = report.dominant.is_some_and(|dominant| (dominant.hz - hz).abs() < 3.0);
    right && report.dropouts == 0 && report.blocks > 20
}

/// Hears what the loudspeaker plays, a stretch at a time, until one is as it should be.
fn listen(hz: f32) -> SignalReport {
    let mut recorder = Command::new("parec")
        .args([
            "--device=speaker.monitor",
            "--raw",
            "--format=s16le",
            "--rate=48000",
            "--channels=1",
            "--latency-msec=20",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .expect(NEEDED);
    let mut output = recorder.stdout.take().unwrap();
    let _recorder = Process(recorder);
    let began = Instant::now();
    loop {
        let mut meter = SignalMeter::new();
        for _ in 0..STRETCH {
            let mut bytes = [0; 2 * FRAME_SAMPLES];
            output.read_exact(&mut bytes).unwrap();
            let frame: Frame =
                std::array::from_fn(|index| i16::from_le_bytes([bytes[2 * index], bytes[2 * index + 1]]));
            meter.feed(&frame);
        }
        let report = meter.report();
        if is_clean(&report, hz) {
            return report;
        }
        assert!(began.elapsed() < LIMIT, "the loudspeaker plays {report:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a sound server of its own; a_call_through_a_sound_server starts one"]
async fn the_call() {
    let mut agent = Agent::new(Arc::new(SystemDevices)).await;
    let listed = agent.engine.devices().await.unwrap();
    let ids = |kind| -> Vec<&str> {
        listed.iter().filter(|device| device.kind == kind).map(|device| device.id.as_str()).collect()
    };
    assert_eq!(ids(DeviceKind::Microphone), ["default", "pulseaudio:mic"], "monitors are no microphones");
    assert_eq!(ids(DeviceKind::Speaker), ["default", "pulseaudio:speaker", "pulseaudio:cable"]);

    let _voice = speak(440.0);
    let far_end = FarEnd::gateway(&[CodecName::Opus], 1_000.0);
    agent.call(&far_end, &[CodecName::Opus]).await;
    let there = within("the microphone's tone at the far end", async {
        loop {
            let report = far_end.measure(STRETCH).await;
            if is_clean(&report, 440.0) {
                return report;
            }
        }
    })
    .await;
    let back = tokio::task::spawn_blocking(|| listen(1_000.0)).await.unwrap();
    assert!((there.dominant.unwrap().level_dbfs + 12.0).abs() < 2.0, "{there:?}");
    assert!((back.dominant.unwrap().level_dbfs + 12.0).abs() < 2.0, "{back:?}");
    agent.engine.close(agent.peer).await.unwrap();
}
