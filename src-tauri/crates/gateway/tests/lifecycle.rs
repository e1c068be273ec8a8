//! Starting and stopping.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use dialer_gateway::{Gateway, GatewayOptions, StartError, VOICE_PATH};
use tokio::net::{TcpListener, TcpStream};

use crate::desk::{Answer, Desk, incoming};

/// A gateway that nobody calls needs nobody behind it.
async fn start_on(address: SocketAddr, desk: &Desk) -> Result<Gateway, StartError> {
    Gateway::start(GatewayOptions::new(address), desk.tokens.clone(), desk.agent.clone()).await
}

#[tokio::test]
async fn a_taken_port_is_said_plainly() {
    let desk = Desk::open().await;
    let taken = desk.gateway.local_addr();
    let error = start_on(taken, &desk).await.err().unwrap();
    assert!(matches!(error, StartError::PortInUse(address) if address == taken));
    assert!(error.to_string().contains(&taken.port().to_string()));
}

#[tokio::test]
async fn an_address_that_is_not_ours_is_another_error() {
    let desk = Desk::open().await;
    // TEST-NET-1 (RFC 5737) belongs to no computer.
    let error = start_on(SocketAddr::from((Ipv4Addr::new(192, 0, 2, 1), 0)), &desk).await.err().unwrap();
    assert!(matches!(error, StartError::Listen { .. }), "{error:?}");
}

#[tokio::test]
async fn shutting_down_lets_a_request_finish_and_frees_the_port() {
    let Desk { gateway, agent, client, .. } = Desk::open().await;
    let address = gateway.local_addr();
    let desk_request = {
        let form = incoming();
        let signed = crate::desk::signature(crate::desk::BASE, VOICE_PATH, &form);
        client
            .post(format!("http://{address}{VOICE_PATH}"))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("X-Twilio-Signature", signed)
            .body(form.encode())
    };
    let held = agent.gate.acquire().await.unwrap();
    let request = tokio::spawn(Answer::of(desk_request));
    agent.until_asked(1).await;
    let shutdown = tokio::spawn(gateway.shutdown());
    // Once no new connection is taken, the shutdown has begun.
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    drop(held);
    assert_eq!(request.await.unwrap().status, 200);
    shutdown.await.unwrap();
    TcpListener::bind(address).await.unwrap();
}

#[tokio::test]
async fn dropping_stops_at_once() {
    let Desk { gateway, agent, .. } = Desk::open().await;
    let address = gateway.local_addr();
    drop(gateway);
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert_eq!(Arc::strong_count(&agent), 1, "nothing of the server is left");
}
