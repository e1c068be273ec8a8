//! Which local addresses a call may use.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Sockets beyond this many bring nothing but more checks.
const MAX_ADDRESSES: usize = 8;

/// This computer's addresses for host candidates, each with port 0: IPv4 first (Twilio's media is
/// IPv4), then global IPv6, and 127.0.0.1 last, for practice on this computer.
///
/// Reading the interfaces cannot fail as a whole: without any, 127.0.0.1 is left.
pub fn host_addresses() -> Vec<SocketAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_else(|error| {
        tracing::warn!(%error, "the network interfaces could not be read");
        Vec::new()
    });
    let mut addresses: Vec<IpAddr> =
        interfaces.iter().map(if_addrs::Interface::ip).filter(|address| is_useful(*address)).collect();
    addresses.sort_by_key(IpAddr::is_ipv6);
    addresses.dedup();
    addresses.truncate(MAX_ADDRESSES - 1);
    addresses.push(IpAddr::V4(Ipv4Addr::LOCALHOST));
    addresses.into_iter().map(|address| SocketAddr::new(address, 0)).collect()
}

/// Link-local addresses lead nowhere beyond the cable, and IPv6 ones need a zone to be bound.
fn is_useful(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_link_local() && !v4.is_unspecified(),
        IpAddr::V6(v6) => !v6.is_loopback() && !v6.is_unicast_link_local() && !v6.is_unspecified(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_always_there_and_last() {
        let addresses = host_addresses();
        assert_eq!(addresses.last(), Some(&SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0)));
        assert!(addresses.len() <= MAX_ADDRESSES);
        assert_eq!(addresses.iter().filter(|address| address.ip().is_loopback()).count(), 1);
    }

    #[test]
    fn addresses_that_lead_nowhere_are_passed_over() {
        for useless in ["127.0.0.5", "169.254.1.1", "0.0.0.0", "::1", "fe80::1"] {
            assert!(useless.parse().is_ok_and(|address| !is_useful(address)), "{useless}");
        }
        for useful in ["192.168.1.5", "10.0.0.1", "2001:db8::1"] {
            assert!(useful.parse().is_ok_and(is_useful), "{useful}");
        }
    }
}
