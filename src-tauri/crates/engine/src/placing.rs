//! Placing a call: what a minute costs, what the rules say, and the note that lets the call through.

use dialer_domain::destination::Destination;
use dialer_domain::dial_policy::Verdict;
use dialer_domain::error::{ErrorCode, UserError};

use crate::api::CallPermit;
use crate::controller::Request;
use crate::core::Core;
use crate::desk::Wish;

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
        match self.ask(|reply| Request::Place { wish, prices, reply }).await? {
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
