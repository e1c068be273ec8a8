//! Which Twilio: the real one, or a simulator on this computer.

use std::sync::Arc;

use dialer_domain::error::{ErrorCode, UserError};
use dialer_domain::ports::Clock;
use dialer_twilio::rest::{BaseUrls, Client, ClientOptions, Credentials};
use url::Url;

use crate::api::SignallingView;

/// The edge the SDK connects to: Twilio picks the nearest.
const EDGE: &str = "roaming";

/// Which Twilio to work with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TwilioAt {
    /// twilio.com.
    Twilio,
    /// A simulator at this loopback address, for tests and for looking around.
    Simulator(Url),
}

impl TwilioAt {
    /// A simulator, whose address must be one of this computer's own: it is sent credentials unencrypted.
    pub fn simulator(url: Url) -> Result<Self, UserError> {
        let at = Self::Simulator(url);
        at.base_urls().map(|_| at)
    }

    /// A client of its REST API.
    pub(crate) fn client(
        &self,
        credentials: Credentials,
        clock: &Arc<dyn Clock>,
    ) -> Result<Client, UserError> {
        let options = ClientOptions { clock: Arc::clone(clock), ..ClientOptions::default() };
        Client::new(self.base_urls()?, credentials, options).map_err(|error| error.user_error())
    }

    /// Where REST requests go.
    fn base_urls(&self) -> Result<BaseUrls, UserError> {
        match self {
            Self::Twilio => Ok(BaseUrls::twilio()),
            Self::Simulator(url) => BaseUrls::simulator(url).map_err(|error| {
                UserError::new(
                    ErrorCode::Internal,
                    "The simulator's address cannot be used. Name a loopback address.",
                )
                .with_detail(error.to_string())
            }),
        }
    }

    /// Where the SDK connects.
    pub(crate) fn signalling(&self) -> SignallingView {
        match self {
            Self::Twilio => SignallingView::Twilio { edges: vec![EDGE.into()] },
            Self::Simulator(url) => SignallingView::Practice { host: authority(url) },
        }
    }
}

fn authority(url: &Url) -> String {
    match (url.host_str(), url.port_or_known_default()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (host, _) => host.unwrap_or_default().to_owned(),
    }
}
