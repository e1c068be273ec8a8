//! The way of Twilio's requests to this computer.

use std::sync::Arc;

use url::Url;

use super::{AccountTask, Purpose, Request};
use crate::account::jobs;
use crate::account::keeper::Keeper;
use crate::account::public_line::PublicLine;

impl AccountTask {
    /// Opens the line of a connected account, without which no call comes or goes.
    pub(super) fn open_line(&mut self) {
        let Some(record) = self.shared.saved().record else { return };
        let Some(choices) = record.choices else { return };
        let account = record.account.sid;
        let old = self.take_line_away();
        self.start(Purpose::Open, |job| async move {
            if let Some(old) = old {
                old.close().await;
            }
            jobs::open_line(job, account, choices.tunnel).await;
        });
    }

    pub(super) fn take_line(&mut self, line: PublicLine) {
        let mut watch = line.watch();
        let requests = self.requests.clone();
        self.stop_watching_line();
        self.line_watch = Some(tokio::spawn(async move {
            while watch.changed().await.is_ok() {
                if requests.send(Request::TunnelChanged).is_err() {
                    return;
                }
            }
        }));
        if self.session.is_live() {
            line.lead_to(self.session.core());
            // Until another address is proven, Twilio still asks at this one.
            let published = self.shared.saved().record.and_then(|record| record.published);
            if let Some(url) = published.and_then(|url| Url::parse(&url).ok()) {
                line.serve_as(url);
            }
        }
        self.line = Some(line);
    }

    /// The line leads to the phone in use, and its address is kept at Twilio.
    pub(super) fn keep(&mut self) {
        let Some(line) = self.line.as_ref().filter(|_| self.session.is_live()) else { return };
        line.lead_to(self.session.core());
        self.keeper = Some(Keeper::start(
            Arc::clone(&self.shared),
            self.session.core(),
            line.watch(),
            line.keys(),
            self.requests.clone(),
        ));
        self.go_on_signing();
    }

    /// The line, for whoever closes it.
    pub(super) fn take_line_away(&mut self) -> Option<PublicLine> {
        self.stop_watching_line();
        self.keeper = None;
        self.line.take()
    }

    pub(super) async fn close_line(&mut self) {
        self.opening = None;
        if let Some(line) = self.take_line_away() {
            line.close().await;
        }
    }

    fn stop_watching_line(&mut self) {
        if let Some(watching) = self.line_watch.take() {
            watching.abort();
        }
    }
}
