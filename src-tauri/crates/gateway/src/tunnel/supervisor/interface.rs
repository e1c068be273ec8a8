//! Asks a tunnel program's own interface on this computer.

use std::net::SocketAddr;
use std::time::Duration;

use dialer_domain::error::UserError;

use crate::tunnel::look::{bounded_body, client_failed};
use crate::tunnel::provider::Answer;

/// What is read of an answer, in bytes.
const ANSWER_LENGTH: usize = 64 * 1024;

#[derive(Clone)]
pub(super) struct Interface {
    client: reqwest::Client,
}

impl Interface {
    pub(super) fn new(timeout: Duration) -> Result<Self, UserError> {
        let client = reqwest::Client::builder()
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| client_failed(&error))?;
        Ok(Self { client })
    }

    /// The answers to `questions`, one for each; none when it is not known where to ask.
    pub(super) async fn ask(&self, at: Option<SocketAddr>, questions: &[&str]) -> Vec<Option<Answer>> {
        let mut answers = Vec::with_capacity(questions.len());
        for question in questions {
            answers.push(match at {
                Some(at) => self.question(at, question).await,
                None => None,
            });
        }
        answers
    }

    async fn question(&self, at: SocketAddr, path: &str) -> Option<Answer> {
        let request = self.client.get(format!("http://{at}{path}"));
        let mut response = request.header(reqwest::header::ACCEPT, "application/json").send().await.ok()?;
        let status = response.status().as_u16();
        Some(Answer { status, body: bounded_body(&mut response, ANSWER_LENGTH).await.ok()? })
    }
}
