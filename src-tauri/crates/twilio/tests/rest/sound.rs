//! Recordings as sound.

use bytes::Bytes;
use dialer_domain::sid::RecordingSid;
use dialer_twilio::rest::RestError;
use http_body_util::Full;

use super::bench::{ACCOUNT, Recorder, answer, refusal};

const WAV: &[u8] =
    b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\0\0\0\0";

fn sid() -> RecordingSid {
    RecordingSid::from_bytes([0xee; 16])
}

#[tokio::test]
async fn a_recording_is_fetched_as_it_is() {
    let recorder = Recorder::start(|_, _| {
        let body = Full::new(Bytes::from_static(WAV));
        hyper::Response::builder().header("content-type", "audio/x-wav").body(body).unwrap()
    })
    .await;
    assert_eq!(recorder.client().0.recording_wav(&sid()).await.unwrap(), WAV);
    let asked = &recorder.seen()[0];
    assert_eq!(
        asked.path_and_query,
        format!("/api/2010-04-01/Accounts/{ACCOUNT}/Recordings/{}.wav", sid().as_str())
    );
    assert!(asked.authorization.is_some(), "accounts may demand it");
}

#[tokio::test]
async fn a_recording_that_is_not_there_is_told_in_xml() {
    let xml = "<TwilioResponse><RestException><Code>20404</Code></RestException></TwilioResponse>";
    for recorder in [
        Recorder::start(move |_, _| answer(404, "application/xml", xml)).await,
        Recorder::start(|_, _| refusal(404, 20404)).await,
    ] {
        let error = recorder.client().0.recording_wav(&sid()).await.unwrap_err();
        assert!(error.is_not_found(), "{error}");
        assert_eq!(recorder.count(), 1);
    }
}

#[tokio::test]
async fn what_is_no_sound_is_not_twilios() {
    for status in [200, 403] {
        let recorder = Recorder::start(move |_, _| answer(status, "text/html", "<html>Sign in</html>")).await;
        let error = recorder.client().0.recording_wav(&sid()).await.unwrap_err();
        assert!(matches!(error, RestError::NotTwilio { .. }), "{error}");
    }
}
