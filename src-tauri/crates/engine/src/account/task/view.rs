//! All of it as the page gets it.

use dialer_domain::error::UserError;
use dialer_domain::phone_number;
use dialer_gateway::tunnel::TunnelState;

use super::AccountTask;
use crate::account::public_line::PublicLine;
use crate::account::{Shared, inventory};
use crate::api::{AccountStatus, ConnectedView, ProgramView, TunnelLight, TunnelView, VaultView};

impl AccountTask {
    pub(super) fn status(&self) -> AccountStatus {
        let saved = self.shared.saved();
        AccountStatus {
            phase: self.phase,
            waiting: self.waiting.clone(),
            error: self.error.clone(),
            credentials: self.entered.view(),
            inventory: self.looked.as_ref().map(|looked| inventory::inventory(looked, &saved.installation)),
            choices: self.choices.clone(),
            steps: self.steps.clone(),
            caller_id_check: self.caller_id_check.clone(),
            signing: saved
                .record
                .as_ref()
                .filter(|record| record.complete)
                .map(|record| self.signing_view(record.signing.as_ref())),
            connected: saved.record.filter(|record| record.complete).map(|record| ConnectedView {
                name: record.account.friendly_name.clone(),
                account_sid: record.account.sid.to_string(),
                kind: record.account.kind,
                balance: self.balance.clone(),
                rings: record.numbers.iter().map(|bound| phone_number::format(&bound.number)).collect(),
                caller_id: record
                    .choices
                    .and_then(|choices| choices.caller_id)
                    .map(|number| phone_number::format(&number)),
                resource_name: saved.installation.resource_name(),
            }),
            tunnel: self.line.as_ref().map(tunnel),
            vault: self.vault.clone(),
            programs: ["cloudflared", "ngrok", "ssh"]
                .into_iter()
                .map(|name| ProgramView {
                    name: name.into(),
                    path: self
                        .programs
                        .iter()
                        .find(|program| program.name == name)
                        .map(|program| program.path.display().to_string()),
                })
                .collect(),
        }
    }
}

fn tunnel(line: &PublicLine) -> TunnelView {
    let state = line.watch().borrow().clone();
    let (light, url, error, retry_at_ms) = match state {
        TunnelState::Off => (TunnelLight::Off, None, None, None),
        TunnelState::Starting => (TunnelLight::Starting, None, None, None),
        TunnelState::Verifying { url } => (TunnelLight::Starting, Some(url), None, None),
        TunnelState::Up { url, .. } => (TunnelLight::Up, Some(url), None, None),
        TunnelState::Degraded { url, reason } => (TunnelLight::Restoring, Some(url), Some(reason), None),
        TunnelState::Backoff { until_ms, reason, .. } => {
            (TunnelLight::Restoring, None, Some(reason), Some(until_ms))
        }
        TunnelState::Open { reason, until_ms } => (TunnelLight::Stopped, None, Some(reason), until_ms),
    };
    TunnelView {
        choice: line.choice().clone(),
        light,
        url: url.map(|url| url.to_string()),
        error,
        retry_at_ms,
        log: line.tunnel().log(),
    }
}

pub(super) fn vault(shared: &Shared, error: Option<UserError>) -> VaultView {
    VaultView {
        kind: shared.vault.kind(),
        ready: error.is_none(),
        error,
        file_possible: shared.vault.file_possible(),
    }
}
