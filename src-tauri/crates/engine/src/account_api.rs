//! Twilio's REST API, for the account in use.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dialer_domain::error::{ErrorCode, UserError};
use dialer_domain::money::Money;
use dialer_domain::phone_number::E164;
use dialer_domain::ports::{Clock, SecretName, Vault, load_required};
use dialer_domain::sid::{AccountSid, ApiKeySid};
use dialer_twilio::rest::{Client, Credentials};
use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt as _};

use crate::core::blocking;
use crate::twilio_at::TwilioAt;

/// How long a price holds, in milliseconds: Twilio changes them a few times a year.
const PRICE_HOLDS_MS: i64 = 24 * 3_600_000;

/// How long a call waits for its price.
const PRICE_PATIENCE: Duration = Duration::from_secs(3);
/// How long a client is used, in milliseconds.
const CLIENT_HOLDS_MS: i64 = 5 * 60_000;
/// Prices kept; beyond, the oldest go.
const MOST_PRICES: usize = 10_000;
/// Prices asked for at once where nobody waits: one fewer than the client asks at once, so that somebody who does
/// wait does not stand behind them.
const LOADED_AT_ONCE: usize = 3;
/// After so many failures in a row the rest is left for later.
const MOST_FAILURES: u32 = 8;

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
            let told = tokio::time::timeout(PRICE_PATIENCE, self.told_price(&number)).await;
            (number, told.unwrap_or_else(|_| Err(too_late())))
        });
        let (mut prices, mut failures) = (Vec::new(), Failures::default());
        for (number, told) in join_all(asked).await {
            match told {
                Ok(price) => prices.extend(price.map(|price| (number, price))),
                Err(error) => failures.note(error),
            }
        }
        failures.warn();
        prices
    }

    /// Tells `learn` what a minute of calls to `numbers` costs, one by one, as far as Twilio tells. Nobody waits for
    /// it: few are asked at once, and each has as long as a request may take. It gives up when Twilio does not
    /// answer.
    pub async fn load_prices(&self, numbers: Vec<E164>, mut learn: impl FnMut(E164, Money)) {
        let asked = stream::iter(numbers).map(|number| async {
            let told = self.told_price(&number).await;
            (number, told)
        });
        let mut asked = std::pin::pin!(asked.buffer_unordered(LOADED_AT_ONCE));
        let (mut failures, mut in_a_row) = (Failures::default(), 0);
        while let Some((number, told)) = asked.next().await {
            match told {
                Ok(price) => {
                    in_a_row = 0;
                    if let Some(price) = price {
                        learn(number, price);
                    }
                }
                Err(error) => {
                    failures.note(error);
                    in_a_row += 1;
                    if in_a_row == MOST_FAILURES {
                        break;
                    }
                }
            }
        }
        failures.warn();
    }

    /// What a minute of a call to `number` costs, if Twilio tells in time.
    pub(crate) async fn price(&self, number: &E164) -> Option<Money> {
        self.prices(vec![number.clone()]).await.pop().map(|(_, price)| price)
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
        keep(&mut prices, number, price.clone(), now_ms);
        Ok(price)
    }
}

/// Keeps a price; where there is no room for one more, the oldest goes.
fn keep(prices: &mut HashMap<E164, (Option<Money>, i64)>, number: &E164, price: Option<Money>, now_ms: i64) {
    if prices.len() >= MOST_PRICES && !prices.contains_key(number) {
        let oldest = prices.iter().min_by_key(|(_, (_, at_ms))| *at_ms).map(|(number, _)| number.clone());
        if let Some(oldest) = oldest {
            prices.remove(&oldest);
        }
    }
    prices.insert(number.clone(), (price, now_ms));
}

fn too_late() -> UserError {
    UserError::new(ErrorCode::TwilioFailed, "Twilio did not tell the price of a call in time.")
}

/// Prices that could not be had: one line in the log tells of all of them.
#[derive(Default)]
struct Failures {
    count: u32,
    last: Option<UserError>,
}

impl Failures {
    fn note(&mut self, error: UserError) {
        self.count += 1;
        self.last = Some(error);
    }

    fn warn(self) {
        if let Some(error) = self.last {
            tracing::warn!(%error, detail = error.detail, count = self.count, "prices of calls could not be had");
        }
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
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
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

    #[test]
    fn no_more_prices_are_kept_than_there_is_room_for() {
        let number = |n: usize| E164::parse_strict(&format!("+1202{:07}", 2_000_000 + n)).unwrap();
        let mut prices = HashMap::new();
        for n in 0..MOST_PRICES + 50 {
            keep(&mut prices, &number(n), None, i64::try_from(n).unwrap());
        }
        assert_eq!(prices.len(), MOST_PRICES);
        assert!(!prices.contains_key(&number(49)) && prices.contains_key(&number(50)), "the oldest go");
        keep(&mut prices, &number(60), None, 0);
        assert_eq!(prices.len(), MOST_PRICES, "one that is known needs no room");
    }
}
