//! `ssh -R` to OpenSSH's server on this computer.

use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use dialer_domain::setup::TunnelChoice;
use dialer_gateway::tunnel::TunnelState;
use tempfile::TempDir;

use super::site::{Site, Watched, is_alive, own_address, server, signal, wait_for_listener, wait_until};

/// Where the server of these tests listens; its address is its own.
const PORT: u16 = 2222;

/// A server for the user who runs the test, with a key of its own.
struct Host {
    folder: TempDir,
    address: Ipv4Addr,
    process: Child,
}

impl Host {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Debian's sshd wants this folder when root starts it; otherwise it needs none.
        let _ = std::fs::create_dir_all("/run/sshd");
        key(&folder.path().join("host_key"));
        key(&folder.path().join("user_key"));
        std::fs::copy(folder.path().join("user_key.pub"), folder.path().join("authorized_keys")).unwrap();
        let address = own_address();
        let process = serve(folder.path(), address);
        wait_for_listener(address.into(), PORT).await;
        Self { folder, address, process }
    }

    fn choice(&self, remote_port: u16) -> TunnelChoice {
        TunnelChoice::Ssh {
            destination: format!("{}@{}", user(), self.address),
            port: Some(PORT),
            key_file: Some(self.path("user_key").to_str().unwrap().to_owned()),
            remote_port,
            url: format!("http://127.0.0.1:{remote_port}"),
            program: None,
        }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    async fn restart(&mut self) {
        self.stop();
        self.process = serve(self.folder.path(), self.address);
        wait_for_listener(self.address.into(), PORT).await;
    }

    /// Ends the server. Connections that it handed on to processes of their own stay.
    fn stop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.stop();
    }
}

fn key(path: &Path) {
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(path).status();
    assert!(made.unwrap().success());
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

fn serve(folder: &Path, address: Ipv4Addr) -> Child {
    let place = folder.to_str().unwrap();
    let configuration = format!(
        "ListenAddress {address}:{PORT}\nHostKey {place}/host_key\nAuthorizedKeysFile {place}/authorized_keys\n\
         PidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n\
         AllowTcpForwarding yes\nGatewayPorts no\nLogLevel ERROR\n"
    );
    std::fs::write(folder.join("sshd_config"), configuration).unwrap();
    Command::new(server("sshd"))
        .args(["-D", "-e", "-f"])
        .arg(folder.join("sshd_config"))
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn user() -> String {
    let name = Command::new("id").arg("-un").output().unwrap().stdout;
    String::from_utf8(name).unwrap().trim().to_owned()
}

/// A port that was free a moment ago; ssh has to be told one.
fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// The ssh process that forwards `remote_port`, by its arguments.
fn client(remote_port: u16) -> Option<u32> {
    let forward = format!("127.0.0.1:{remote_port}:127.0.0.1:");
    std::fs::read_dir("/proc").unwrap().flatten().find_map(|process| {
        let mut arguments = String::new();
        std::fs::File::open(process.path().join("cmdline")).ok()?.read_to_string(&mut arguments).ok()?;
        let is_client = arguments.split('\0').next()?.ends_with("ssh") && arguments.contains(&forward);
        is_client.then(|| process.file_name().to_str()?.parse().ok())?
    })
}

#[tokio::test]
async fn a_forward_is_proven_lost_and_found() {
    let (site, mut host, port) = (Site::open().await, Host::start().await, free_port());
    let mut watched = Watched::start(site.options(host.choice(port)));
    assert_eq!(watched.up().await, format!("http://127.0.0.1:{port}/"));
    let pid = client(port).unwrap();
    // The host goes away altogether.
    host.stop();
    signal("KILL", pid);
    watched.until("the loss", |state| matches!(state, TunnelState::Backoff { .. })).await;
    watched.fails("refuses connections").await;
    host.restart().await;
    watched.tunnel.retry();
    watched.up().await;
    let pid = client(port).unwrap();
    watched.tunnel.shutdown().await;
    assert!(!is_alive(pid));
}

#[tokio::test]
async fn a_frozen_client_is_replaced() {
    let (site, host, port) = (Site::open().await, Host::start().await, free_port());
    let mut watched = Watched::start(site.options(host.choice(port)));
    watched.up().await;
    let pid = client(port).unwrap();
    signal("STOP", pid);
    watched.fails("did not answer").await;
    watched.until("another start", |state| matches!(state, TunnelState::Backoff { .. })).await;
    watched.up().await;
    assert!(!is_alive(pid), "the frozen client was left behind");
}

#[tokio::test]
async fn another_key_of_the_host_stops_everything() {
    let (site, mut host, port) = (Site::open().await, Host::start().await, free_port());
    let choice = host.choice(port);
    let mut watched = Watched::start(site.options(choice.clone()));
    watched.up().await;
    watched.tunnel.shutdown().await;
    std::fs::remove_file(host.path("host_key")).unwrap();
    std::fs::remove_file(host.path("host_key.pub")).unwrap();
    key(&host.path("host_key"));
    host.restart().await;
    let mut watched = Watched::start(site.options(choice));
    watched.opens("does not show the key").await;
}

#[tokio::test]
async fn a_key_that_is_not_let_in_is_said() {
    let (site, host, port) = (Site::open().await, Host::start().await, free_port());
    std::fs::write(host.path("authorized_keys"), "").unwrap();
    Watched::start(site.options(host.choice(port))).opens("authorized_keys").await;
}

#[tokio::test]
async fn a_port_taken_at_the_host_is_waited_for() {
    let (site, host) = (Site::open().await, Host::start().await);
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let mut watched = Watched::start(site.options(host.choice(port)));
    watched.fails("it is taken there").await;
    drop(taken);
    watched.tunnel.retry();
    watched.up().await;
    wait_until("the client", || client(port).is_some()).await;
}
