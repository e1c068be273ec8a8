//! Twilio's REST API, for the account in use.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dialer_domain::error::UserError;
use dialer_domain::money::Money;
use dialer_domain::phone_number::E164;
use dialer_domain::ports::{Clock, SecretName, Vault, load_required};
use dialer_domain::sid::{AccountSid, ApiKeySid};
use dialer_twilio::rest::{Client, Credentials};
use futures_util::future::join_all;

use crate::core::blocking;
use crate::twilio_at::TwilioAt;

/// How long a price holds, in milliseconds: Twilio changes them a few times a year.
const PRICE_HOLDS_MS: i64 = 24 * 3_600_000;

/// How long a call waits for its price.
const PRICE_PATIENCE: Duration = Duration::from_secs(3);
/// How long a client is used, in milliseconds.
const CLIENT_HOLDS_MS: i64 = 5 * 60_000;
/// Prices kept; beyond, the oldest go.
const MOST_PRICES: usize = 1_000;

/// Signs in with the account's API key.
pub struct AccountApi {
    pub(crate) twilio: TwilioAt,
    pub(crate) account: AccountSid,
    pub(crate) key: ApiKeySid,
    pub(crate) vault: Arc<dyn Vault>,
    pub(crate) clock: Arc<dyn Clock>,
    prices: Mutex<HashMap<E164, (Option<Money>, i64)>>,
    /// Kept, because it keeps its connections, with when it was made.
    client: Mutex<Option<(Client, i64)>>,
}

impl AccountApi {
    /// Of `account`, by its `key`, whose secret is in the vault.
    pub fn new(
        twilio: TwilioAt,
        account: AccountSid,
        key: ApiKeySid,
        vault: Arc<dyn Vault>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { twilio, account, key, vault, clock, prices: Mutex::default(), client: Mutex::default() }
    }

    /// A client. It is made anew every few minutes, so that a vault that was locked meanwhile is respected.
    pub(crate) async fn client(&self) -> Result<Client, UserError> {
        let now_ms = self.clock.now_ms();
        let kept = self.client.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((client, made_ms)) = kept
            && (0..CLIENT_HOLDS_MS).contains(&now_ms.saturating_sub(made_ms))
        {
            return Ok(client);
        }
        let (vault, owner) = (Arc::clone(&self.vault), self.key.to_string());
        let secret = blocking(move || {
            load_required(&*vault, &owner, SecretName::ApiKeySecret)
                .map_err(|error| dialer_storage::vault::user_error(&error))
        })
        .await?;
        let credentials =
            Credentials::ApiKey { account: self.account.clone(), key: self.key.clone(), secret };
        let client = self.twilio.client(credentials, &self.clock)?;
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = Some((client.clone(), now_ms));
        Ok(client)
    }

    /// What a minute of calls to `numbers` costs, as far as Twilio tells within three seconds, because somebody
    /// waits to call. All are asked at once.
    pub async fn prices(&self, numbers: Vec<E164>) -> Vec<(E164, Money)> {
        let asked = numbers.into_iter().map(|number| async {
            let price = self.price(&number).await?;
            Some((number, price))
        });
        join_all(asked).await.into_iter().flatten().collect()
    }

    /// What a minute of a call to `number` costs, if Twilio tells in time.
    pub(crate) async fn price(&self, number: &E164) -> Option<Money> {
        match tokio::time::timeout(PRICE_PATIENCE, self.told_price(number)).await {
            Ok(Ok(price)) => price,
            Ok(Err(error)) => {
                tracing::warn!(%error, detail = error.detail, "the price of a call could not be had");
                None
            }
            Err(_) => {
                tracing::warn!("the price of a call did not come in time");
                None
            }
        }
    }

    /// What a minute of a call to `number` costs; `None` where Twilio does not tell. Kept for a day.
    async fn told_price(&self, number: &E164) -> Result<Option<Money>, UserError> {
        let now_ms = self.clock.now_ms();
        let kept = self.prices.lock().unwrap_or_else(PoisonError::into_inner).get(number).cloned();
        if let Some((price, at_ms)) = kept
            && (0..PRICE_HOLDS_MS).contains(&now_ms.saturating_sub(at_ms))
        {
            return Ok(price);
        }
        let told = self.client().await?.voice_price(number, None).await;
        let told = told.map_err(|error| error.user_error())?;
        let dearest = told
            .outbound_call_prices
            .iter()
            .filter_map(|price| micros(price.current_price.as_deref()?))
            .max();
        let price = dearest
            .zip(told.price_unit)
            .map(|(micros, unit)| Money { micros, currency: unit.to_uppercase() });
        let mut prices = self.prices.lock().unwrap_or_else(PoisonError::into_inner);
        if prices.len() >= MOST_PRICES {
            prices.retain(|_, (_, at_ms)| now_ms.saturating_sub(*at_ms) < PRICE_HOLDS_MS / 2);
        }
        prices.insert(number.clone(), (price.clone(), now_ms));
        Ok(price)
    }
}

/// Reads a decimal amount such as `0.0140` as millionths; what is finer is rounded up.
fn micros(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let (kept, finer) = fraction.split_at(fraction.len().min(6));
    let kept: u64 = format!("{kept:0<6}").parse().ok()?;
    let more = u64::from(finer.bytes().any(|byte| byte != b'0'));
    whole.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(kept + more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_read_to_the_millionth() {
        for (text, expected) in [
            ("0.0140", Some(14_000)),
            ("1", Some(1_000_000)),
            ("0.00000001", Some(1)),
            ("12.3456789", Some(12_345_679)),
            ("-0.01", None),
            ("", None),
            (".5", None),
            ("1e3", None),
        ] {
            assert_eq!(micros(text), expected, "{text}");
        }
    }
}
