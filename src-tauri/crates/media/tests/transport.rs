use std::net::SocketAddr;
use std::time::Duration;

use dialer_media::api::{CodecName, ConnectionState, IceState};
use dialer_media::codec::Encoder;
use dialer_media::jitter::{JitterBuffer, JitterCounts, JitterOptions};
use dialer_media::signal::{SignalMeter, SignalReport, Tone};
use dialer_media::transport::{Peer, PeerEvent, PeerHandle, PeerOptions, TransportError};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::netem::{Relay, Weather, throw_rubbish};
use crate::wait::{connection, within};

const LOOPBACK: &str = "127.0.0.1:0";
const BOTH: [CodecName; 2] = [CodecName::Opus, CodecName::Pcmu];

struct End {
    handle: PeerHandle,
    events: UnboundedReceiver<PeerEvent>,
}

fn spawn(options: PeerOptions) -> End {
    let (handle, events) = Peer::spawn(options).unwrap();
    End { handle, events }
}

fn client(codecs: &[CodecName]) -> PeerOptions {
    let mut options = PeerOptions::client(codecs.to_vec(), vec![loopback()]);
    options.announce_candidates = false;
    options
}

fn gateway(codecs: &[CodecName]) -> PeerOptions {
    PeerOptions::gateway(codecs.to_vec(), loopback())
}

fn loopback() -> SocketAddr {
    LOOPBACK.parse().unwrap()
}

async fn both_connected(a: &mut End, b: &mut End) {
    tokio::join!(
        connection(&mut a.events, ConnectionState::Connected),
        connection(&mut b.events, ConnectionState::Connected)
    );
}

async fn call(caller: PeerOptions, callee: PeerOptions) -> (End, End) {
    let (mut caller, mut callee) = (spawn(caller), spawn(callee));
    let offer = caller.handle.create_offer().await.unwrap();
    let answer = callee.handle.accept_offer(offer).await.unwrap();
    caller.handle.accept_answer(answer).await.unwrap();
    both_connected(&mut caller, &mut callee).await;
    (caller, callee)
}

/// Sends a tone for `frames` frames while the other end plays what comes; one frame each 20 ms on both sides.
async fn carry(
    from: &PeerHandle,
    to: &mut UnboundedReceiver<PeerEvent>,
    codec: CodecName,
    hz: f32,
    frames: usize,
) -> (SignalReport, JitterCounts) {
    let (mut encoder, mut tone) = (Encoder::new(codec).unwrap(), Tone::new(hz, -12.0));
    let (mut buffer, mut meter) = (JitterBuffer::new(JitterOptions::default()), SignalMeter::new());
    let mut clock = tokio::time::interval(Duration::from_millis(20));
    for _ in 0..frames {
        clock.tick().await;
        from.send(codec, encoder.encode(&tone.next_frame()).unwrap());
        while let Ok(event) = to.try_recv() {
            if let PeerEvent::Audio { packet, .. } = event {
                buffer.push(packet).unwrap();
            }
        }
        meter.feed(&buffer.pop());
    }
    (meter.report(), buffer.counts())
}

#[tokio::test]
async fn a_client_without_candidates_reaches_a_gateway_in_either_direction() {
    for client_offers in [true, false] {
        for codec in BOTH {
            let (a, b) = if client_offers {
                (client(&[codec]), gateway(&BOTH))
            } else {
                (gateway(&BOTH), client(&[codec]))
            };
            let (mut a, mut b) = call(a, b).await;
            for handle in [&a.handle, &b.handle] {
                let negotiated = handle.negotiated().await.unwrap().unwrap();
                assert_eq!(negotiated.codec, codec);
            }
            let ((there, _), (back, _)) = tokio::join!(
                carry(&a.handle, &mut b.events, codec, 440.0, 60),
                carry(&b.handle, &mut a.events, codec, 1_000.0, 60)
            );
            assert!((there.dominant.unwrap().hz - 440.0).abs() < 3.0, "{codec:?} {there:?}");
            assert!((back.dominant.unwrap().hz - 1_000.0).abs() < 3.0, "{codec:?} {back:?}");
        }
    }
}

#[tokio::test]
async fn descriptions_look_like_a_browsers_and_a_gateways() {
    let (client, gateway) = (spawn(client(&BOTH)), spawn(gateway(&BOTH)));
    let offer = client.handle.create_offer().await.unwrap();
    assert!(offer.contains("m=audio 9 UDP/TLS/RTP/SAVPF 111 0 110 126\r\n"), "{offer}");
    assert!(
        offer.contains("a=setup:actpass\r\n")
            && offer.contains("a=rtcp-mux\r\n")
            && !offer.contains("a=candidate"),
        "{offer}"
    );
    assert!(offer.contains("useinbandfec=1"), "{offer}");
    let answer = gateway.handle.accept_offer(offer).await.unwrap();
    for line in [
        "a=ice-lite\r\n",
        "a=setup:active\r\n",
        "s=Twilio Media Gateway\r\n",
        "a=connection:new\r\n",
        "a=ptime:20\r\n",
    ] {
        assert_eq!(answer.matches(line).count(), 1, "{line} in {answer}");
    }
    assert!(answer.contains("RTP/SAVPF 111 0 126\r\n") && !answer.contains("UDP/TLS"), "{answer}");
    assert_eq!(answer.matches("a=candidate:").count(), 1, "{answer}");
}

#[tokio::test]
async fn the_answerers_favourite_codec_is_used() {
    let (a, b) = call(client(&BOTH), gateway(&[CodecName::Pcmu, CodecName::Opus])).await;
    for handle in [&a.handle, &b.handle] {
        assert_eq!(handle.negotiated().await.unwrap().unwrap().codec, CodecName::Pcmu);
    }
}

#[tokio::test]
async fn loss_and_reorder_are_survived() {
    let (mut caller, mut callee) = (spawn(client(&BOTH)), spawn(gateway(&BOTH)));
    let target = callee.handle.local_addresses()[0];
    let relay = Relay::to(target, 5).await;
    let offer = caller.handle.create_offer().await.unwrap();
    let answer = callee.handle.accept_offer(offer).await.unwrap();
    caller.handle.accept_answer(relay.redirect(&answer, target)).await.unwrap();
    both_connected(&mut caller, &mut callee).await;
    relay.set(Weather { loss: 0.05, reorder: 0.05, duplicate: 0.05, blackout: false });
    let (report, counts) = carry(&caller.handle, &mut callee.events, CodecName::Pcmu, 440.0, 250).await;
    assert!((report.dominant.unwrap().hz - 440.0).abs() < 3.0, "{report:?}");
    assert!(report.dropouts <= report.blocks / 20, "{report:?} {counts:?}");
    let stats = callee.handle.stats().await.unwrap();
    assert!((2..=30).contains(&stats.received.lost), "{stats:?}");
    assert!(counts.played > 200 && counts.concealed_samples > 0, "{counts:?}");
}

#[tokio::test]
async fn an_ice_restart_keeps_the_sound_flowing() {
    let (mut a, mut b) = call(client(&BOTH), gateway(&BOTH)).await;
    let before = b.handle.stats().await.unwrap().received.packets;
    let restart = async {
        let offer = a.handle.ice_restart().await.unwrap();
        let answer = b.handle.accept_offer(offer.clone()).await.unwrap();
        a.handle.accept_answer(answer).await.unwrap();
        offer
    };
    let first = restart.await;
    let second = a.handle.ice_restart().await.unwrap();
    let credentials =
        |sdp: &str| sdp.lines().find(|line| line.starts_with("a=ice-ufrag:")).map(str::to_owned);
    assert_ne!(credentials(&first), credentials(&second), "each restart has its own credentials");
    let answer = b.handle.accept_offer(second).await.unwrap();
    a.handle.accept_answer(answer).await.unwrap();
    let (report, _) = carry(&a.handle, &mut b.events, CodecName::Opus, 440.0, 75).await;
    assert!((report.dominant.unwrap().hz - 440.0).abs() < 3.0, "{report:?}");
    assert!(b.handle.stats().await.unwrap().received.packets >= before + 70);
    assert!(a.events.try_recv().is_ok());
}

#[tokio::test]
async fn a_network_outage_heals_by_itself() {
    let (mut caller, mut callee) = (spawn(client(&BOTH)), spawn(gateway(&BOTH)));
    let target = callee.handle.local_addresses()[0];
    let relay = Relay::to(target, 1).await;
    let offer = caller.handle.create_offer().await.unwrap();
    let answer = callee.handle.accept_offer(offer).await.unwrap();
    caller.handle.accept_answer(relay.redirect(&answer, target)).await.unwrap();
    both_connected(&mut caller, &mut callee).await;
    relay.set(Weather { blackout: true, ..Weather::default() });
    connection(&mut caller.events, ConnectionState::Disconnected).await;
    relay.set(Weather::default());
    connection(&mut caller.events, ConnectionState::Connected).await;
}

#[tokio::test(start_paused = true)]
async fn nobody_there_is_failed_after_the_patience_runs_out() {
    let mut caller = spawn(client(&BOTH));
    let offer = caller.handle.create_offer().await.unwrap();
    let ghost = spawn(gateway(&BOTH));
    let answer = ghost.handle.accept_offer(offer).await.unwrap();
    ghost.handle.close().await;
    let began = tokio::time::Instant::now();
    caller.handle.accept_answer(answer).await.unwrap();
    let mut states = Vec::new();
    while let Some(event) = caller.events.recv().await {
        states.push(event.clone());
        if event == PeerEvent::Connection(ConnectionState::Failed) {
            break;
        }
    }
    assert!(states.contains(&PeerEvent::Ice(IceState::Checking)), "{states:?}");
    assert!(states.contains(&PeerEvent::Ice(IceState::Failed)), "{states:?}");
    let waited = began.elapsed();
    assert!((Duration::from_secs(30)..Duration::from_secs(31)).contains(&waited), "{waited:?}");
}

#[tokio::test]
async fn keys_travel_as_telephone_events_where_the_clocks_agree() {
    let mut with_48000 = gateway(&BOTH);
    with_48000.telephone_event_rates = vec![48_000, 8_000];
    for (gateway, client_codecs) in [(with_48000, BOTH.to_vec()), (gateway(&BOTH), vec![CodecName::Pcmu])] {
        let (mut a, mut b) = call(client(&client_codecs), gateway).await;
        for (from, to) in [(&a.handle, &mut b.events), (&b.handle, &mut a.events)] {
            assert!(from.negotiated().await.unwrap().unwrap().can_send_telephone_events);
            from.send_telephone_events("1#9", 60, 30);
            let heard = within("three keys", async {
                let mut heard = String::new();
                while heard.len() < 3 {
                    if let Some(PeerEvent::TelephoneEvent(key)) = to.recv().await {
                        heard.push(key);
                    }
                }
                heard
            });
            assert_eq!(heard.await, "1#9");
        }
    }
}

#[tokio::test]
async fn opus_against_8000_hz_events_cannot_send_keys() {
    let (a, _b) = call(client(&BOTH), gateway(&BOTH)).await;
    let negotiated = a.handle.negotiated().await.unwrap().unwrap();
    assert_eq!((negotiated.codec, negotiated.can_send_telephone_events), (CodecName::Opus, false));
}

#[tokio::test]
async fn a_stream_nobody_announced_is_heard() {
    let (mut caller, mut callee) = (spawn(client(&BOTH)), spawn(gateway(&BOTH)));
    let offer = caller.handle.create_offer().await.unwrap();
    let strip = |sdp: &str| -> String {
        sdp.lines()
            .filter(|line| !["a=ssrc", "a=msid", "a=extmap"].iter().any(|prefix| line.starts_with(prefix)))
            .map(|line| format!("{line}\r\n"))
            .collect()
    };
    let answer = callee.handle.accept_offer(strip(&offer)).await.unwrap();
    caller.handle.accept_answer(strip(&answer)).await.unwrap();
    both_connected(&mut caller, &mut callee).await;
    let (there, _) = carry(&caller.handle, &mut callee.events, CodecName::Opus, 440.0, 60).await;
    let (back, _) = carry(&callee.handle, &mut caller.events, CodecName::Opus, 440.0, 60).await;
    assert!(there.dominant.is_some() && back.dominant.is_some(), "{there:?} {back:?}");
}

#[tokio::test]
async fn rubbish_on_the_sockets_is_ignored() {
    let (mut a, mut b) = call(client(&BOTH), gateway(&BOTH)).await;
    throw_rubbish(a.handle.local_addresses()[0]).await;
    throw_rubbish(b.handle.local_addresses()[0]).await;
    let (report, _) = carry(&a.handle, &mut b.events, CodecName::Opus, 440.0, 60).await;
    assert!((report.dominant.unwrap().hz - 440.0).abs() < 3.0, "{report:?}");
    let (report, _) = carry(&b.handle, &mut a.events, CodecName::Opus, 440.0, 60).await;
    assert!(report.dominant.is_some());
}

#[tokio::test]
async fn useless_descriptions_are_errors_and_the_peer_goes_on() {
    let caller = spawn(client(&BOTH));
    let callee = spawn(gateway(&BOTH));
    assert!(matches!(caller.handle.accept_answer("v=0\r\n").await, Err(TransportError::OutOfOrder(_))));
    let offer = caller.handle.create_offer().await.unwrap();
    for cut in (0..offer.len()).step_by(7) {
        // Every way of breaking off; whatever it is, nothing may panic.
        let _ = spawn(gateway(&BOTH)).handle.accept_offer(&offer[..cut]).await;
    }
    for bad in
        ["", "rubbish", "v=0\r\nm=audio 9 x 1\r\n", &offer.replace("opus", "speex").replace("PCMU", "GSM")]
    {
        assert!(callee.handle.accept_offer(bad).await.is_err(), "{bad:?}");
    }
    assert!(caller.handle.accept_answer("rubbish").await.is_err());
    let fresh = spawn(gateway(&BOTH));
    let answer = fresh.handle.accept_offer(offer).await.unwrap();
    caller.handle.accept_answer(answer).await.unwrap();
}

#[tokio::test]
async fn closing_tells_the_far_end_and_frees_the_port() {
    let (a, mut b) = call(client(&BOTH), gateway(&BOTH)).await;
    let address = a.handle.local_addresses()[0];
    a.handle.close().await;
    std::net::UdpSocket::bind(address).expect("the port is free again");
    within("the goodbye", async { while b.events.recv().await != Some(PeerEvent::RemoteClosed) {} }).await;
    assert!(matches!(a.handle.stats().await, Err(TransportError::Closed)));
    a.handle.close().await;
}

#[tokio::test]
async fn statistics_count_what_was_carried() {
    let (mut a, mut b) = call(client(&BOTH), gateway(&BOTH)).await;
    carry(&a.handle, &mut b.events, CodecName::Opus, 440.0, 130).await;
    carry(&b.handle, &mut a.events, CodecName::Opus, 440.0, 10).await;
    let (ours, theirs) = (a.handle.stats().await.unwrap(), b.handle.stats().await.unwrap());
    assert_eq!(ours.sent.packets, 130);
    assert_eq!((theirs.received.packets, theirs.received.bytes), (ours.sent.packets, ours.sent.bytes));
    assert_eq!((theirs.received.lost, theirs.received.codec), (0, Some(CodecName::Opus)));
    assert!(theirs.received.jitter_s < 0.03);
    let pair = ours.pair.unwrap();
    assert_eq!((pair.local, pair.remote), (a.handle.local_addresses()[0], b.handle.local_addresses()[0]));
    assert_eq!(pair.remote_type, "host");
    assert_eq!(theirs.pair.unwrap().remote_type, "prflx");
    let reported = within("the far end's reports", async {
        loop {
            carry(&a.handle, &mut b.events, CodecName::Opus, 440.0, 10).await;
            let stats = a.handle.stats().await.unwrap();
            if let (Some(round_trip), Some(lost)) = (stats.round_trip, stats.remote_fraction_lost) {
                return (round_trip, lost);
            }
        }
    });
    let (round_trip, lost) = reported.await;
    assert!(round_trip < Duration::from_secs(1) && lost < 0.01, "{round_trip:?} {lost}");
}
