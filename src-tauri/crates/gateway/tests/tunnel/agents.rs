//! cloudflared and ngrok as recorded agents: scripts that print what the real ones print, answer as they
//! answer, and forward for real.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use dialer_domain::setup::TunnelChoice;
use dialer_gateway::tunnel::{TunnelOptions, TunnelState};
use serde_json::{Value, json};

use super::authority::Authority;
use super::site::{Site, Watched, is_alive, number_in, own_address, signal, token, wait_until};
use crate::desk::{Answer, incoming};

const TOKEN: &str = "the-token-of-this-test-0123456789";

/// A recorded agent in a folder of its own.
struct Agent {
    site: Site,
    authority: Authority,
    address: Ipv4Addr,
    name: &'static str,
    program: &'static str,
}

impl Agent {
    async fn of(program: &'static str, name: &'static str) -> Self {
        let (site, authority, address) = (Site::open().await, Authority::new(), own_address());
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tunnel/agents");
        for file in [program, "edge.js"] {
            std::fs::copy(source.join(file), site.folder.path().join(file)).unwrap();
        }
        authority.issue(name, site.folder.path());
        let agent = Self { site, authority, address, name, program };
        agent.set(&json!({}));
        agent
    }

    async fn quick() -> Self {
        Self::of("cloudflared", "red-fox-77.trycloudflare.com").await
    }

    async fn ngrok() -> Self {
        Self::of("ngrok", "red-fox-77.ngrok-free.dev").await
    }

    fn path(&self, file: &str) -> PathBuf {
        self.site.folder.path().join(file)
    }

    /// Changes how the agent behaves from now on.
    fn set(&self, behaviour: &Value) {
        let mut settings = json!({
            "address": self.address.to_string(), "name": self.name, "token": TOKEN, "target": self.site.port(),
        });
        settings.as_object_mut().unwrap().extend(behaviour.as_object().unwrap().clone());
        // Written beside and moved, because the agent may be reading.
        std::fs::write(self.path("agent.json.new"), settings.to_string()).unwrap();
        std::fs::rename(self.path("agent.json.new"), self.path("agent.json")).unwrap();
    }

    fn options(&self, choice: TunnelChoice) -> TunnelOptions {
        TunnelOptions {
            token: token(TOKEN),
            trust: self.authority.trust(),
            addresses: vec![(self.name.to_owned(), (self.address, 8443).into())],
            ..self.site.options(choice)
        }
    }

    fn program(&self) -> Option<String> {
        Some(self.path(self.program).to_str().unwrap().to_owned())
    }

    fn start_quick(&self) -> Watched {
        Watched::start(self.options(TunnelChoice::CloudflaredQuick { program: self.program() }))
    }

    fn start_ngrok(&self) -> Watched {
        Watched::start(self.options(TunnelChoice::Ngrok { url: None, program: self.program() }))
    }

    async fn pid(&self) -> u32 {
        number_in(&self.path("agent.pid")).await
    }

    fn starts(&self) -> usize {
        std::fs::read_to_string(self.path("starts")).unwrap_or_default().lines().count()
    }
}

#[tokio::test]
async fn a_temporary_address_is_learnt_and_proven() {
    let agent = Agent::quick().await;
    let mut watched = agent.start_quick();
    assert_eq!(watched.up().await, "https://red-fox-77.trycloudflare.com/");
    // Twilio's own request arrives through it.
    let form = incoming();
    let url = format!("https://{}{}", agent.name, dialer_gateway::VOICE_PATH);
    let base = format!("https://{}", agent.name);
    agent.site.desk.gateway.set_public_base(base.parse().unwrap());
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only(agent.authority.trust())
        .resolve(agent.name, (agent.address, 8443).into())
        .build()
        .unwrap();
    let signature = crate::desk::signature(&base, dialer_gateway::VOICE_PATH, &form);
    let request = client.post(url).header("X-Twilio-Signature", signature);
    let request = request.header("Content-Type", "application/x-www-form-urlencoded").body(form.encode());
    assert_eq!(Answer::of(request).await.status, 200);
    let pid = agent.pid().await;
    watched.tunnel.shutdown().await;
    assert!(!is_alive(pid), "the program outlived its tunnel");
}

#[tokio::test]
async fn a_killed_program_is_started_again() {
    let agent = Agent::quick().await;
    let mut watched = agent.start_quick();
    watched.up().await;
    let pid = agent.pid().await;
    signal("KILL", pid);
    watched.fails("cloudflared ended").await;
    watched.up().await;
    assert_ne!(agent.pid().await, pid);
}

#[tokio::test]
async fn a_frozen_program_is_replaced() {
    let agent = Agent::ngrok().await;
    let mut watched = agent.start_ngrok();
    watched.up().await;
    let pid = agent.pid().await;
    signal("STOP", pid);
    watched.fails("did not answer").await;
    watched.until("another start", |state| matches!(state, TunnelState::Backoff { .. })).await;
    watched.up().await;
    assert!(!is_alive(pid), "the frozen program was left behind");
    assert_eq!(agent.starts(), 2);
}

#[tokio::test]
async fn an_error_page_is_no_proof() {
    let agent = Agent::quick().await;
    let mut watched = agent.start_quick();
    watched.up().await;
    agent.set(&json!({ "mode": "page" }));
    watched.fails("nothing comes through").await;
    agent.set(&json!({}));
    watched.up().await;
}

#[tokio::test]
async fn a_connection_the_program_restores_costs_no_restart() {
    let agent = Agent::quick().await;
    let mut options = agent.options(TunnelChoice::CloudflaredQuick { program: agent.program() });
    options.periods.reconnect = std::time::Duration::from_secs(600);
    let mut watched = Watched::start(options);
    watched.up().await;
    agent.set(&json!({ "mode": "reconnecting" }));
    watched.fails("status 530").await;
    // Long enough for several looks that fail.
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    agent.set(&json!({}));
    watched.up().await;
    assert_eq!(agent.starts(), 1);
}

#[tokio::test]
async fn a_connection_the_program_does_not_restore_is_a_failure() {
    let agent = Agent::ngrok().await;
    let mut watched = agent.start_ngrok();
    watched.up().await;
    agent.set(&json!({ "mode": "reconnecting" }));
    watched.until("a restart", |state| matches!(state, TunnelState::Backoff { .. })).await;
    agent.set(&json!({}));
    watched.up().await;
    assert!(agent.starts() > 1);
}

#[tokio::test]
async fn a_dead_webhook_server_is_not_blamed_on_the_tunnel() {
    let agent = Agent::quick().await;
    let mut watched = agent.start_quick();
    watched.up().await;
    let Agent { site, .. } = agent;
    let Site { desk, folder } = site;
    desk.gateway.shutdown().await;
    watched.fails("own webhook server").await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let starts = std::fs::read_to_string(folder.path().join("starts")).unwrap();
    assert_eq!(starts.lines().count(), 1, "the program was restarted for nothing");
}

#[tokio::test]
async fn a_rate_limit_is_said_and_waited_for() {
    let agent = Agent::quick().await;
    agent.set(&json!({ "mode": "rate limited" }));
    let mut watched = agent.start_quick();
    watched.fails("too many were asked for").await;
    agent.set(&json!({}));
    watched.tunnel.retry();
    watched.up().await;
}

#[tokio::test]
async fn a_tunnel_of_ones_own_is_proven_under_its_known_address() {
    let agent = Agent::of("cloudflared", "phone.example.com").await;
    let url = "https://phone.example.com".to_owned();
    let choice = TunnelChoice::CloudflaredNamed { url, program: agent.program() };
    let mut watched = Watched::start(agent.options(choice));
    assert_eq!(watched.up().await, "https://phone.example.com/");
}

#[tokio::test]
async fn a_refused_token_waits_for_another_one() {
    let agent = Agent::of("cloudflared", "phone.example.com").await;
    let url = "https://phone.example.com".to_owned();
    let choice = TunnelChoice::CloudflaredNamed { url, program: agent.program() };
    let mut options = agent.options(choice);
    options.token = token("not-the-token-0123456789");
    Watched::start(options).opens("token is not valid").await;

    let agent = Agent::ngrok().await;
    let mut options = agent.options(TunnelChoice::Ngrok { url: None, program: agent.program() });
    options.token = token("not-the-token-0123456789");
    let mut watched = Watched::start(options);
    watched.opens("does not accept the token").await;
    assert!(!watched.tunnel.log().join("\n").contains("not-the-token"), "{:?}", watched.tunnel.log());
}

#[tokio::test]
async fn a_used_up_quota_is_said_at_once() {
    let agent = Agent::ngrok().await;
    let mut watched = agent.start_ngrok();
    assert_eq!(watched.up().await, "https://red-fox-77.ngrok-free.dev/");
    agent.set(&json!({ "mode": "page", "code": "ERR_NGROK_727" }));
    watched.opens("used up").await;
}

#[tokio::test]
async fn a_session_that_outlived_its_program_is_waited_for() {
    let agent = Agent::ngrok().await;
    let mut watched = agent.start_ngrok();
    watched.up().await;
    agent.set(&json!({ "mode": "in use" }));
    signal("KILL", agent.pid().await);
    watched.fails("not let go of the last connection").await;
    agent.set(&json!({}));
    watched.tunnel.retry();
    watched.up().await;
    // Where no program was up, the address is somebody else's.
    drop(watched);
    agent.set(&json!({ "mode": "in use" }));
    agent.start_ngrok().opens("in use by another agent").await;
}

#[tokio::test]
async fn the_token_is_in_no_argument_and_in_no_line() {
    let agent = Agent::of("cloudflared", "phone.example.com").await;
    let url = "https://phone.example.com".to_owned();
    let choice = TunnelChoice::CloudflaredNamed { url, program: agent.program() };
    let mut watched = Watched::start(agent.options(choice));
    watched.up().await;
    let pid = agent.pid().await;
    let environment = std::fs::read_to_string(format!("/proc/{pid}/environ")).unwrap();
    assert!(environment.contains(TOKEN), "the token did not get to the program");
    let mut seen = 0;
    for process in std::fs::read_dir("/proc").unwrap().flatten() {
        let arguments = std::fs::read_to_string(process.path().join("cmdline")).unwrap_or_default();
        seen += usize::from(arguments.contains(agent.site.folder.path().to_str().unwrap()));
        assert!(!arguments.contains(TOKEN), "{arguments:?}");
    }
    assert!(seen >= 2, "neither the program nor what watches over it was seen");
    let log = watched.tunnel.log().join("\n");
    assert!(log.contains("Settings: map[") && !log.contains(TOKEN), "{log}");
}

#[tokio::test]
async fn without_its_authority_the_address_is_not_believed() {
    let agent = Agent::quick().await;
    let mut options = agent.options(TunnelChoice::CloudflaredQuick { program: agent.program() });
    options.trust.clear();
    Watched::start(options).fails("certificate").await;
}

#[tokio::test]
async fn another_process_behind_the_address_is_not_taken_for_this_one() {
    let agent = Agent::of("cloudflared", "phone.example.com").await;
    let other = Site::open().await;
    agent.set(&json!({ "target": other.port() }));
    let url = "https://phone.example.com".to_owned();
    let choice = TunnelChoice::CloudflaredNamed { url, program: agent.program() };
    let options = agent.options(choice);
    Watched::start(options).fails("Something other than this program").await;
}

#[tokio::test]
async fn a_missing_program_is_said_and_found_once_it_is_there() {
    let agent = Agent::quick().await;
    let hidden = agent.path("hidden");
    std::fs::rename(agent.path("cloudflared"), &hidden).unwrap();
    let mut watched = agent.start_quick();
    watched.opens("no program at").await;
    std::fs::rename(hidden, agent.path("cloudflared")).unwrap();
    watched.tunnel.retry();
    watched.up().await;
}

#[tokio::test]
async fn dropping_the_tunnel_ends_the_program() {
    let agent = Agent::quick().await;
    let mut watched = agent.start_quick();
    watched.up().await;
    let pid = agent.pid().await;
    drop(watched);
    wait_until("the program's end", || !is_alive(pid)).await;
}
