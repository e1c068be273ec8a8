//! bore, a real tunnel program, as the generic command. The library is the program; this test binary
//! runs it in a process of its own.

use std::net::{IpAddr, Ipv4Addr};

use bore_cli::client::Client;
use bore_cli::server::Server;
use dialer_domain::setup::TunnelChoice;
use tokio::runtime::Runtime;

use super::site::{Site, Watched, own_address, token, wait_for_listener};

/// Where bore's server always listens; its address is its own.
const CONTROL_PORT: u16 = 7835;
const SECRET: &str = "the-secret-of-this-test";

/// The server with all its connections, in a runtime that can be taken away.
fn serve(address: Ipv4Addr) -> Runtime {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mut server = Server::new(1024..=65_535, Some(SECRET));
    server.set_bind_addr(IpAddr::V4(address));
    server.set_bind_tunnels(IpAddr::V4(address));
    runtime.spawn(server.listen());
    runtime
}

fn choice(address: Ipv4Addr) -> TunnelChoice {
    let myself = std::env::current_exe().unwrap();
    let arguments = [
        &format!("BORE_TO={address}"),
        "BORE_LOCAL_PORT={port}",
        myself.to_str().unwrap(),
        "--exact",
        "tunnel::bore::the_program",
        "--ignored",
        "--nocapture",
    ];
    TunnelChoice::Command {
        program: "env".to_owned(),
        arguments: arguments.map(str::to_owned).into(),
        url_pattern: Some(r"listening at (\S+)".to_owned()),
        url: None,
    }
}

#[tokio::test]
#[ignore = "this is bore itself, run by the tests below in a process of its own"]
async fn the_program() {
    let given = |name: &str| std::env::var(name).unwrap();
    let (to, secret) = (given("BORE_TO"), given("TUNNEL_TOKEN"));
    let port = given("BORE_LOCAL_PORT").parse().unwrap();
    let client = Client::new("127.0.0.1", port, &to, 0, Some(&secret)).await.unwrap();
    // What bore's own `main` has its log say.
    let line = format!("\nINFO bore_cli::client: listening at {to}:{}\n", client.remote_port());
    std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).unwrap();
    client.listen().await.unwrap();
}

#[tokio::test]
async fn a_lost_server_is_noticed_although_the_program_ends_well() {
    let (site, address) = (Site::open().await, own_address());
    let server = serve(address);
    wait_for_listener(address.into(), CONTROL_PORT).await;
    let mut options = site.options(choice(address));
    options.token = token(SECRET);
    let mut watched = Watched::start(options);
    let url = watched.up().await;
    assert!(url.starts_with(&format!("http://{address}:")), "{url}");
    server.shutdown_background();
    // bore itself sees nothing wrong in losing its server.
    watched.fails("env ended with code 0").await;
    let server = serve(address);
    wait_for_listener(address.into(), CONTROL_PORT).await;
    watched.tunnel.retry();
    watched.up().await;
    watched.tunnel.shutdown().await;
    server.shutdown_background();
}

#[tokio::test]
async fn a_program_that_ends_at_once_is_given_up_after_three_times() {
    let (site, address) = (Site::open().await, own_address());
    // Nobody listens: bore ends with an error.
    let mut options = site.options(choice(address));
    options.token = token(SECRET);
    let mut watched = Watched::start(options);
    watched.opens("env ended with code 101").await;
}
