//! Which host serves which of Twilio's products.

use url::{Position, Url};

/// A part of Twilio's API that has a host of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Product {
    /// Accounts, keys, numbers, calls: the API of 2010.
    Api,
    /// Geo permissions.
    Voice,
    /// Alerts.
    Monitor,
    /// Prices.
    Pricing,
    /// How webhooks are signed and sent.
    Webhooks,
}

impl Product {
    /// The first label of the product's host, and its path at the simulator.
    fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Voice => "voice",
            Self::Monitor => "monitor",
            Self::Pricing => "pricing",
            Self::Webhooks => "webhooks",
        }
    }
}

/// An address the client must not send credentials to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBaseUrl {
    /// Unencrypted, and not on this computer.
    #[error("credentials are sent over https, or to this computer itself")]
    NotEncrypted,
    /// It has a query, a fragment or credentials of its own, or cannot be a base at all.
    #[error("a base address is scheme, host, port and path, and nothing else")]
    NotABase,
    /// A region or an edge is a word of letters, digits and hyphens.
    #[error("region and edge are words such as ie1 and dublin")]
    InvalidRegion,
}

/// Where the client sends its requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrls {
    // Each is scheme, host, port and perhaps a path, without a slash at the end.
    api: String,
    voice: String,
    monitor: String,
    pricing: String,
    webhooks: String,
}

impl BaseUrls {
    /// Twilio, in its home region (US1).
    pub fn twilio() -> Self {
        Self::each(|product| format!("https://{product}.twilio.com"))
    }

    /// Twilio in another region, by the edge that leads there, such as `ie1` and `dublin`. Keys and the
    /// Auth Token are the region's own; without the edge a request would go to US1 and get 401.
    pub fn regional(region: &str, edge: &str) -> Result<Self, InvalidBaseUrl> {
        let is_label =
            |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if is_label(region) && is_label(edge) {
            Ok(Self::each(|product| format!("https://{product}.{edge}.{region}.twilio.com")))
        } else {
            Err(InvalidBaseUrl::InvalidRegion)
        }
    }

    /// A simulator at `url`, which serves each product below a path of its own: `{url}/api`,
    /// `{url}/voice`, `{url}/monitor`, `{url}/pricing`, `{url}/webhooks`. Only a loopback address may do without https.
    pub fn simulator(url: &Url) -> Result<Self, InvalidBaseUrl> {
        let bare = url.query().is_none() && url.fragment().is_none();
        let anonymous = url.username().is_empty() && url.password().is_none();
        if url.host().is_none() || !bare || !anonymous {
            return Err(InvalidBaseUrl::NotABase);
        }
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(url) => {}
            _ => return Err(InvalidBaseUrl::NotEncrypted),
        }
        let url = url.as_str().trim_end_matches('/');
        Ok(Self::each(|product| format!("{url}/{product}")))
    }

    fn each(base: impl Fn(&str) -> String) -> Self {
        let base = |product: Product| base(product.name());
        Self {
            api: base(Product::Api),
            voice: base(Product::Voice),
            monitor: base(Product::Monitor),
            pricing: base(Product::Pricing),
            webhooks: base(Product::Webhooks),
        }
    }

    fn of(&self, product: Product) -> &str {
        match product {
            Product::Api => &self.api,
            Product::Voice => &self.voice,
            Product::Monitor => &self.monitor,
            Product::Pricing => &self.pricing,
            Product::Webhooks => &self.webhooks,
        }
    }

    /// The address of a resource; segments are escaped. `None` where one would not stay what it is: a dot
    /// or two, or nothing at all.
    pub(crate) fn resource<'a>(
        &self,
        product: Product,
        segments: impl IntoIterator<Item = &'a str>,
    ) -> Option<Url> {
        let mut url = Url::parse(self.of(product)).ok()?;
        {
            let mut path = url.path_segments_mut().ok()?;
            path.pop_if_empty();
            for segment in segments {
                if matches!(segment, "" | "." | "..") {
                    return None;
                }
                path.push(segment);
            }
        }
        Some(url)
    }

    /// Whether requests stay on this computer, where no proxy could help.
    pub(crate) fn are_loopback(&self) -> bool {
        Url::parse(&self.api).is_ok_and(|url| is_loopback(&url))
    }

    /// The address of the next page that an answer of `product` names, or `None` if it leads to another
    /// host. Twilio may name the host of its home region whatever the request's was.
    pub(crate) fn next_page(&self, product: Product, link: &str) -> Option<Url> {
        let base = self.of(product);
        let origin = Url::parse(base).ok()?.origin();
        let path_and_query = if link.starts_with('/') && !link.starts_with("//") {
            link.to_owned()
        } else if let Some(rest) = below(link, base) {
            rest.to_owned()
        } else {
            let url = Url::parse(link).ok().filter(|url| is_twilios(url, product))?;
            url[Position::BeforePath..].to_owned()
        };
        Url::parse(&format!("{base}{path_and_query}")).ok().filter(|url| url.origin() == origin)
    }
}

/// Whether a link leads to the product at Twilio, in whatever region.
fn is_twilios(url: &Url, product: Product) -> bool {
    let host = url.host_str().unwrap_or_default();
    let own = host.strip_prefix(product.name()).is_some_and(|rest| rest.starts_with('.'));
    url.scheme() == "https" && url.port().is_none() && own && host.ends_with(".twilio.com")
}

/// What follows `base` in `link`, which begins with a slash.
fn below<'a>(link: &'a str, base: &str) -> Option<&'a str> {
    link.strip_prefix(base).filter(|rest| rest.starts_with('/'))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    fn simulator(url: &str) -> Result<BaseUrls, InvalidBaseUrl> {
        BaseUrls::simulator(&Url::parse(url).unwrap())
    }

    #[test]
    fn every_product_has_its_host() {
        let hosts = |base: BaseUrls| [base.api, base.voice, base.monitor, base.pricing, base.webhooks];
        assert_eq!(
            hosts(BaseUrls::twilio()),
            [
                "https://api.twilio.com",
                "https://voice.twilio.com",
                "https://monitor.twilio.com",
                "https://pricing.twilio.com",
                "https://webhooks.twilio.com"
            ]
        );
        assert_eq!(
            hosts(BaseUrls::regional("ie1", "dublin").unwrap())[0],
            "https://api.dublin.ie1.twilio.com"
        );
        assert_eq!(
            hosts(simulator("http://127.0.0.1:4010/").unwrap()),
            [
                "http://127.0.0.1:4010/api",
                "http://127.0.0.1:4010/voice",
                "http://127.0.0.1:4010/monitor",
                "http://127.0.0.1:4010/pricing",
                "http://127.0.0.1:4010/webhooks"
            ]
        );
    }

    #[test]
    fn credentials_go_nowhere_unencrypted() {
        for allowed in ["http://127.9.9.9:1", "http://[::1]:1", "http://localhost:1", "https://sim.example/x"]
        {
            assert!(simulator(allowed).is_ok(), "{allowed}");
        }
        for refused in
            ["http://sim.example", "http://192.168.0.9:1", "http://localhost.example", "ftp://127.0.0.1"]
        {
            assert_eq!(simulator(refused), Err(InvalidBaseUrl::NotEncrypted), "{refused}");
        }
        for odd in ["https://a:b@sim.example", "https://sim.example?x=1", "https://sim.example#x", "data:,x"]
        {
            assert_eq!(simulator(odd), Err(InvalidBaseUrl::NotABase), "{odd}");
        }
        assert_eq!(BaseUrls::regional("ie1", "evil.example/"), Err(InvalidBaseUrl::InvalidRegion));
        assert_eq!(BaseUrls::regional("", "dublin"), Err(InvalidBaseUrl::InvalidRegion));
    }

    #[test]
    fn segments_cannot_leave_their_place() {
        let url = BaseUrls::twilio().resource(Product::Api, ["a", "b/../c?d", "e f.json"]).unwrap();
        assert_eq!(url.as_str(), "https://api.twilio.com/a/b%2F..%2Fc%3Fd/e%20f.json");
        for odd in ["", ".", ".."] {
            assert_eq!(BaseUrls::twilio().resource(Product::Api, ["a", odd, "b.json"]), None, "{odd:?}");
        }
    }

    #[test]
    fn pages_are_followed_on_the_same_host_only() {
        let sim = simulator("http://127.0.0.1:4010").unwrap();
        let regional = BaseUrls::regional("ie1", "dublin").unwrap();
        let next = |base: &BaseUrls, product, link: &str| base.next_page(product, link).map(String::from);
        assert_eq!(
            next(&sim, Product::Api, "/2010-04-01/Accounts/AC/Keys.json?Page=1&PageToken=x").unwrap(),
            "http://127.0.0.1:4010/api/2010-04-01/Accounts/AC/Keys.json?Page=1&PageToken=x"
        );
        assert_eq!(
            next(&sim, Product::Monitor, "https://monitor.twilio.com/v1/Alerts?Page=1").unwrap(),
            "http://127.0.0.1:4010/monitor/v1/Alerts?Page=1"
        );
        assert_eq!(
            next(&sim, Product::Monitor, "http://127.0.0.1:4010/monitor/v1/Alerts?Page=1").unwrap(),
            "http://127.0.0.1:4010/monitor/v1/Alerts?Page=1"
        );
        assert_eq!(
            next(
                &regional,
                Product::Voice,
                "https://voice.twilio.com/v1/DialingPermissions/Countries?Page=1"
            )
            .unwrap(),
            "https://voice.dublin.ie1.twilio.com/v1/DialingPermissions/Countries?Page=1"
        );
        assert_eq!(
            next(&regional, Product::Monitor, "https://monitor.ie1.twilio.com/v1/Alerts?Page=1").unwrap(),
            "https://monitor.dublin.ie1.twilio.com/v1/Alerts?Page=1"
        );
        for foreign in [
            "https://monitor.twilio.com.evil.example/v1/Alerts",
            "https://voice.twilio.com/v1/Alerts",
            "https://monitorXtwilio.com/v1/Alerts",
            "https://monitor.twilio.com:444/v1/Alerts",
            "https://monitor.twilio.com@evil.example/v1/Alerts",
            "http://monitor.twilio.com/v1/Alerts",
            "//evil.example/v1/Alerts",
            "https://evil.example/v1/Alerts",
            "v1/Alerts",
            "",
        ] {
            assert_eq!(next(&regional, Product::Monitor, foreign), None, "{foreign}");
        }
    }
}
