//! A fixed address behind nginx with TLS.

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use dialer_domain::setup::TunnelChoice;
use dialer_gateway::tunnel::{TunnelOptions, TunnelState};

use super::authority::Authority;
use super::site::{Site, Watched, own_address, server, wait_for_listener, wait_until};
use crate::desk::TestClock;

const NAME: &str = "phone.example.com";

/// nginx in front of a port of this computer; it ends with the test.
pub(crate) struct Nginx {
    process: Child,
    authority: Authority,
    address: Ipv4Addr,
}

impl Nginx {
    /// Passes what lies below `path` on to `port`, without `path`.
    pub(crate) async fn before(port: u16, path: &str, folder: &Path) -> Self {
        let authority = Authority::new();
        authority.issue(NAME, folder);
        let nginx = Self {
            process: start(folder, own_address(), port, path),
            authority,
            address: Ipv4Addr::LOCALHOST,
        };
        nginx.listening(folder).await
    }

    async fn listening(mut self, folder: &Path) -> Self {
        self.address = address_in(folder);
        wait_for_listener(self.address.into(), 8443).await;
        self
    }

    /// `options` with what leads to this nginx.
    pub(crate) fn reached(&self, options: TunnelOptions) -> TunnelOptions {
        TunnelOptions {
            trust: self.authority.trust(),
            addresses: vec![(NAME.to_owned(), (self.address, 8443).into())],
            ..options
        }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn address_in(folder: &Path) -> Ipv4Addr {
    std::fs::read_to_string(folder.join("address")).unwrap().parse().unwrap()
}

fn start(folder: &Path, address: Ipv4Addr, port: u16, path: &str) -> Child {
    let place = folder.to_str().unwrap();
    std::fs::write(folder.join("address"), address.to_string()).unwrap();
    let configuration = format!(
        "daemon off; master_process off; pid {place}/nginx.pid; error_log {place}/nginx.log;\n\
         events {{}}\n\
         http {{\n\
           access_log off;\n\
           client_body_temp_path {place}/t1; proxy_temp_path {place}/t2; fastcgi_temp_path {place}/t3;\n\
           uwsgi_temp_path {place}/t4; scgi_temp_path {place}/t5;\n\
           server {{\n\
             listen {address}:8443 ssl; server_name {NAME};\n\
             ssl_certificate {place}/chain.pem; ssl_certificate_key {place}/key.pem;\n\
             location {path} {{ proxy_pass http://127.0.0.1:{port}/; }}\n\
           }}\n\
         }}\n"
    );
    std::fs::write(folder.join("nginx.conf"), configuration).unwrap();
    Command::new(server("nginx"))
        .args(["-p", place, "-e", "nginx.log", "-c", "nginx.conf"])
        .stdin(Stdio::null())
        .spawn()
        .unwrap()
}

fn choice(url: &str) -> TunnelChoice {
    TunnelChoice::Fixed { url: url.to_owned() }
}

#[tokio::test]
async fn an_address_behind_a_proxy_is_proven_lost_and_found() {
    let site = Site::open().await;
    let folder = site.folder.path();
    let mut nginx = Nginx::before(site.port(), "/kennex/", folder).await;
    let options = nginx.reached(site.options(choice("https://phone.example.com/kennex")));
    let mut watched = Watched::start(options);
    assert_eq!(watched.up().await, "https://phone.example.com/kennex");
    nginx.process.kill().unwrap();
    nginx.process.wait().unwrap();
    watched.fails("could not be connected to").await;
    watched.until("another attempt", |state| matches!(state, TunnelState::Backoff { .. })).await;
    nginx.process = start(folder, nginx.address, site.port(), "/kennex/");
    watched.up().await;
}

#[tokio::test]
async fn a_proxy_that_leads_elsewhere_is_told_from_one_that_leads_here() {
    let site = Site::open().await;
    let nginx = Nginx::before(site.port(), "/", site.folder.path()).await;
    // nginx answers 404 itself for what is not below the address's path here.
    let other = Site::open().await;
    let options = nginx.reached(other.options(choice("https://phone.example.com")));
    Watched::start(options).fails("Something other than this program").await;
}

#[tokio::test]
async fn this_computer_may_be_named_without_tls() {
    let site = Site::open().await;
    let url = format!("http://127.0.0.1:{}/", site.port());
    let mut watched = Watched::start(site.options(choice(&url)));
    assert_eq!(watched.up().await, url);
    watched.tunnel.shutdown().await;
}

#[tokio::test]
async fn a_signed_webhook_counts_as_a_look() {
    let site = Site::open().await;
    let port = site.port();
    let nginx_place = tempfile::tempdir().unwrap();
    let mut nginx = Nginx::before(port, "/", nginx_place.path()).await;
    let mut options = nginx.reached(site.options(choice("https://phone.example.com")));
    // The second miss is told, and the third, which would end it, leaves time for the webhook.
    options.periods.probe_after_miss = Duration::from_secs(3);
    let mut watched = Watched::start(options);
    watched.up().await;
    nginx.process.kill().unwrap();
    nginx.process.wait().unwrap();
    watched.until("the outage", |state| matches!(state, TunnelState::Degraded { .. })).await;
    watched.tunnel.webhook_seen();
    watched.up().await;
}

#[tokio::test]
async fn a_computer_that_slept_tries_at_once() {
    let site = Site::open().await;
    let place = tempfile::tempdir().unwrap();
    let mut nginx = Nginx::before(site.port(), "/", place.path()).await;
    nginx.process.kill().unwrap();
    nginx.process.wait().unwrap();
    let clock = Arc::new(TestClock::default());
    let mut options = nginx.reached(site.options(choice("https://phone.example.com")));
    options.clock = clock.clone();
    (options.periods.backoff_base, options.periods.backoff_cap) =
        (Duration::from_hours(100), Duration::from_hours(100));
    let mut watched = Watched::start(options);
    watched.fails("could not be connected to").await;
    nginx.process = start(place.path(), nginx.address, site.port(), "/");
    wait_for_listener(nginx.address.into(), 8443).await;
    // The lid was shut for a minute: the clock on the wall went on, everything else did not.
    clock.set(60_000);
    watched.tunnel.in_call(false);
    watched.up().await;
}

#[tokio::test]
async fn a_choice_that_cannot_work_is_open_from_the_start() {
    let site = Site::open().await;
    for (url, says) in [
        ("http://phone.example.com", "must begin with https"),
        ("https://192.168.0.7", "Twilio cannot reach it"),
        ("", "Nothing was entered"),
    ] {
        let mut watched = Watched::start(site.options(choice(url)));
        watched.opens(says).await;
        watched.tunnel.retry();
        watched.tunnel.shutdown().await;
    }
}

#[tokio::test]
async fn shutting_down_is_told() {
    let site = Site::open().await;
    let url = format!("http://127.0.0.1:{}", site.port());
    let mut watched = Watched::start(site.options(choice(&url)));
    watched.up().await;
    let states = watched.tunnel.watch();
    watched.tunnel.shutdown().await;
    wait_until("the end", || *states.borrow() == TunnelState::Off).await;
}
