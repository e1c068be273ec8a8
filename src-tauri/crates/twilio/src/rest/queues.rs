//! Queues of callers who wait.

use dialer_domain::sid::{CallSid, QueueSid};
use serde::Deserialize;

use super::client::Client;
use super::error::RestError;
use super::request::Request;
use super::times;

/// A queue.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Queue {
    /// Its SID.
    pub sid: QueueSid,
    /// Its name.
    #[serde(default)]
    pub friendly_name: Option<String>,
    /// How many wait.
    #[serde(default)]
    pub current_size: u32,
    /// How many may.
    #[serde(default)]
    pub max_size: u32,
    /// Seconds, of those who wait now.
    #[serde(default)]
    pub average_wait_time: u32,
}

/// Someone who waits.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct QueueMember {
    /// The leg.
    pub call_sid: CallSid,
    /// From 1.
    #[serde(default)]
    pub position: u32,
    /// Seconds so far.
    #[serde(default)]
    pub wait_time: u32,
    /// Unix milliseconds.
    #[serde(default, rename = "date_enqueued", deserialize_with = "times::optional")]
    pub enqueued_ms: Option<i64>,
}

impl Client {
    /// All queues of the account.
    pub async fn queues(&self) -> Result<Vec<Queue>, RestError> {
        self.list(Request::get(self.path(&["Queues"])), "queues", None).await
    }

    /// Who waits in a queue, the first in front.
    pub async fn queue_members(&self, queue: &QueueSid) -> Result<Vec<QueueMember>, RestError> {
        let request = Request::get(self.path(&["Queues", queue.as_str(), "Members"]));
        self.list(request, "queue_members", None).await
    }

    /// Takes a caller out of a queue, the first one if `who` is `None`, and has the call go on with the
    /// TwiML at `url`, asked by `POST`.
    pub async fn dequeue(
        &self,
        queue: &QueueSid,
        who: Option<&CallSid>,
        url: &str,
    ) -> Result<QueueMember, RestError> {
        let who = who.map_or("Front", CallSid::as_str);
        let request = Request::post(self.path(&["Queues", queue.as_str(), "Members", who]))
            .form("Url", Some(url))
            .form("Method", Some("POST"));
        self.read(&request).await
    }
}
