//! Placing a call: what a minute costs, what the rules say, and the note that lets the call through.

use std::time::Duration;

use dialer_domain::destination::Destination;
use dialer_domain::dial_policy::Verdict;
use dialer_domain::error::{ErrorCode, UserError};
use dialer_domain::money::Money;
use dialer_domain::phone_number::E164;

use crate::api::CallPermit;
use crate::controller::Request;
use crate::core::Core;
use crate::desk::Wish;

/// How long a call waits for the end of the one before: the page knows of it sooner than Twilio tells.
const ENDING_PATIENCE: Duration = Duration::from_secs(3);

impl Core {
    /// Judges a call, with prices where the rules or the agent need them.
    pub(crate) async fn place(&self, wish: Wish) -> Result<CallPermit, UserError> {
        self.counted().await;
        // Only calls to telephones cost by the minute; an emergency call waits for nothing.
        let prices = match &wish.to {
            Destination::Number(number) if self.rules().await?.outgoing.money_per_day.is_some() => {
                let mut numbers = self.ask(Request::Unpriced).await?;
                numbers.push(number.clone());
                self.api.prices(numbers).await
            }
            Destination::Number(_)
            | Destination::Emergency(_)
            | Destination::Client(_)
            | Destination::Sip(_)
            | Destination::NextInQueue => Vec::new(),
        };
        let to = wish.to.clone();
        match self.judge(wish, prices).await? {
            Verdict::Allowed { .. } => Ok(CallPermit::Go { to: to.address() }),
            Verdict::Refused(refusal) => Err(UserError::new(ErrorCode::CallRefused, refusal.reason)),
            Verdict::Ask(question) => {
                let price_per_minute = match &to {
                    Destination::Number(number) => self.api.price(number).await,
                    Destination::Emergency(_)
                    | Destination::Client(_)
                    | Destination::Sip(_)
                    | Destination::NextInQueue => None,
                };
                Ok(CallPermit::Ask { question, price_per_minute })
            }
        }
    }

    /// Asks for the verdict; once more where a call that is ending may have stood in the way.
    async fn judge(&self, wish: Wish, prices: Vec<(E164, Money)>) -> Result<Verdict, UserError> {
        let again = wish.clone();
        let verdict = self.ask(|reply| Request::Place { wish, prices, reply }).await?;
        // How many calls there are is nothing to an emergency call.
        if !matches!(verdict, Verdict::Refused(_)) || matches!(again.to, Destination::Emergency(_)) {
            return Ok(verdict);
        }
        let mut view = self.watch();
        if !view.borrow_and_update().call_is_ending {
            return Ok(verdict);
        }
        // Whether it has ended or not: the verdict says which.
        let _ = tokio::time::timeout(ENDING_PATIENCE, view.wait_for(|view| !view.call_is_ending)).await;
        self.ask(|reply| Request::Place { wish: again, prices: Vec::new(), reply }).await
    }

    /// Reads what the day's limit of money needs to know before the next call, which may be a caller who is
    /// passed on: nobody waits for prices then.
    pub(crate) async fn learn_prices(&self) -> Result<(), UserError> {
        if self.rules().await?.outgoing.money_per_day.is_some() {
            let prices = self.api.prices(self.ask(Request::Unpriced).await?).await;
            self.tell(Request::Prices(prices));
        }
        Ok(())
    }
}
