//! The preview of the rules, watched and steered while it is played.

use std::sync::Arc;
use std::time::{Duration, Instant};

use dialer_domain::call_flow::Rules;
use dialer_domain::error::ErrorCode;
use dialer_domain::incoming::Answer;
use dialer_engine::api::{
    Commands as _, HostEvent, PageId, PreviewAgent, PreviewLine, PreviewScript, PreviewWho,
    RulesCommands as _,
};
use dialer_engine::phone::Phone;
use dialer_engine::twilio_at::TwilioAt;
use dialer_storage::vault::ChosenVault;
use tokio::sync::broadcast::Receiver;
use tokio::task::JoinHandle;

use crate::computer::start;

const LIMIT: Duration = Duration::from_secs(60);

struct Play {
    phone: Phone,
    events: Receiver<HostEvent>,
    whole: JoinHandle<Vec<PreviewLine>>,
    _folder: tempfile::TempDir,
}

impl Play {
    async fn of(rules: Rules, script: PreviewScript) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let memory = Arc::new(ChosenVault::memory());
        let phone = start(folder.path(), Some(&memory), TwilioAt::Twilio).await;
        let events = phone.subscribe();
        let player = phone.clone();
        let whole = tokio::spawn(async move { player.preview_incoming(rules, script).await.unwrap() });
        Self { phone, events, whole, _folder: folder }
    }

    /// The next line that is as wanted.
    async fn line(&mut self, wanted: impl Fn(&PreviewLine) -> bool) -> PreviewLine {
        let seen = async {
            loop {
                if let HostEvent::PreviewLineAdded(line) = self.events.recv().await.unwrap()
                    && wanted(&line)
                {
                    return line;
                }
            }
        };
        tokio::time::timeout(LIMIT, seen).await.unwrap()
    }

    async fn end(self) -> Vec<PreviewLine> {
        let lines = tokio::time::timeout(LIMIT, self.whole).await.unwrap().unwrap();
        self.phone.shutdown().await;
        lines
    }
}

fn menu() -> Rules {
    let mut rules = Rules::default();
    rules.incoming.open = Answer::Menu;
    rules
}

fn script(agent: PreviewAgent) -> PreviewScript {
    PreviewScript { at: None, agent, agent_answers: false, hidden_number: false, keys: String::new() }
}

fn is_menu(line: &PreviewLine) -> bool {
    line.who == PreviewWho::Heard && line.text.contains("press 1")
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_come_as_they_happen_and_keys_can_be_pressed_meanwhile() {
    let mut play = Play::of(menu(), script(PreviewAgent::Ready)).await;
    play.line(is_menu).await;
    assert!(!play.whole.is_finished());
    let refused = play.phone.press_preview_key("7".into()).await.unwrap_err();
    assert!(refused.message.contains("no key 7"), "{}", refused.message);
    play.line(|line| line.who == PreviewWho::Caller && line.text == "Presses 7.").await;
    play.line(is_menu).await;
    for nonsense in ["", "12", "a"] {
        let refused = play.phone.press_preview_key(nonsense.into()).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::InvalidEntry, "{nonsense}");
    }
    play.phone.press_preview_key("2".into()).await.unwrap();
    play.line(|line| line.text == "The caller can leave a message.").await;
    let lines = play.end().await;
    assert_eq!(lines.iter().filter(|line| is_menu(line)).count(), 2, "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_can_be_stopped_and_another_begun() {
    let mut play = Play::of(menu(), script(PreviewAgent::Ready)).await;
    play.line(is_menu).await;
    play.phone.stop_preview().await.unwrap();
    let lines = tokio::time::timeout(LIMIT, &mut play.whole).await.unwrap().unwrap();
    assert_eq!(lines.last().unwrap().text, "Stopped.");
    assert!(play.phone.press_preview_key("1".into()).await.unwrap_err().message.contains("No preview"));
    let lines = play.phone.preview_incoming(Rules::default(), script(PreviewAgent::Busy)).await.unwrap();
    assert!(lines.iter().any(|line| line.text.contains("leave a message")), "{lines:#?}");
    play.phone.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_takes_its_place() {
    let mut play = Play::of(menu(), script(PreviewAgent::Ready)).await;
    play.line(is_menu).await;
    let lines = play.phone.preview_incoming(Rules::default(), script(PreviewAgent::Busy)).await.unwrap();
    assert!(lines.iter().any(|line| line.text.contains("leave a message")), "{lines:#?}");
    let first = tokio::time::timeout(LIMIT, &mut play.whole).await.unwrap().unwrap();
    assert_eq!(first.last().unwrap().text, "Stopped, because another preview was begun.");
    let heard =
        play.line(|line| line.text.contains("leave a message") || line.text.contains("Stopped")).await;
    assert!(
        heard.text.contains("leave a message"),
        "the page of the second must not hear how the first ended"
    );
    play.phone.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_page_ends_it() {
    let mut play = Play::of(menu(), script(PreviewAgent::Ready)).await;
    play.line(is_menu).await;
    play.phone.core().snapshot(PageId(uuid::Uuid::from_u128(1))).await.unwrap();
    let lines = play.end().await;
    assert_eq!(lines.last().unwrap().text, "Stopped.");
}

#[tokio::test(flavor = "multi_thread")]
async fn times_are_those_of_the_caller() {
    let began = Instant::now();
    let mut play = Play::of(Rules::default(), script(PreviewAgent::Ready)).await;
    play.line(|line| line.text.contains("Nobody answers")).await;
    let real_s = began.elapsed().as_secs_f64();
    let lines = play.end().await;
    let at = |text: &str| lines.iter().find(|line| line.text.contains(text)).unwrap().at_s;
    let rang = at("Nobody answers") - at("Your phone rings");
    // It rings for 25 seconds by the rules, eight times as fast here.
    assert!(rang >= 24 && f64::from(rang) <= real_s * 8.0 + 1.0, "in {real_s} s: {lines:#?}");
}
