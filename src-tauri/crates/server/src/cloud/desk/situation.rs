//! What decisions about calls depend on at the moment of a request: only what the direction of the call needs,
//! because every webhook asks.

use std::collections::BTreeMap;

use dialer_domain::call_flow::{Agents, Permission, Situation};
use dialer_domain::destination::Destination;
use dialer_domain::dial_policy::{Outlook, Spent};
use dialer_engine::local_time::{Moment, moment};

use super::{CloudDesk, State};

impl CloudDesk {
    /// The time. The wall clock is read once a minute: time zones take long, and each webhook asks.
    pub(super) fn now(&self, state: &mut State) -> Moment {
        let now_ms = self.clock.now_ms();
        let minute = |ms: i64| ms.div_euclid(60_000);
        if let Some(wall) = state.wall.filter(|wall| minute(wall.now_ms) == minute(now_ms)) {
            return Moment { now_ms, ..wall };
        }
        let hours = self.config.rules.incoming.hours.as_ref();
        let now = moment(now_ms, hours.and_then(|hours| hours.zone.as_deref()));
        state.wall = Some(now);
        now
    }

    /// What a call depends on that `from` places to `to`.
    pub(super) fn outlook(
        &self,
        state: &State,
        from: &str,
        to: Option<&Destination>,
        now: &Moment,
    ) -> Outlook {
        let price = to.and_then(|to| match to {
            Destination::Number(number) => state.desk.prices.get_key_value(number),
            Destination::Emergency(_)
            | Destination::Client(_)
            | Destination::Sip(_)
            | Destination::NextInQueue => None,
        });
        Outlook {
            home_region: self.home_region.clone(),
            caller_id: Some(self.config.phone_number.clone()),
            usable_caller_ids: vec![self.config.phone_number.clone()],
            owned_numbers: vec![self.config.phone_number.clone()],
            calls_under_way: state.live.count_of(from),
            forwards_under_way: 0,
            spent: self.spent(state, now),
            prices: price.into_iter().map(|(number, price)| (number.clone(), price.clone())).collect(),
            confirmed: false,
        }
    }

    /// What passing on a caller depends on; where nobody is passed on, nothing is looked up.
    fn callers_outlook(&self, state: &State, now: &Moment) -> Outlook {
        let mut outlook = no_outlook();
        if self.forwards {
            outlook.home_region.clone_from(&self.home_region);
            outlook.spent = self.spent(state, now);
            // A server that is full passes nobody on, whatever its rules say of those who are.
            let is_full = self.is_full(state, now.now_ms);
            outlook.forwards_under_way =
                if is_full { u32::MAX } else { state.desk.forwards_under_way(now.now_ms) };
            let forwards = state.desk.rules.incoming.forwards();
            let prices = forwards.into_iter().filter_map(|number| state.desk.prices.get_key_value(number));
            outlook.prices = prices.map(|(number, price)| (number.clone(), price.clone())).collect();
        }
        outlook
    }

    fn spent(&self, state: &State, now: &Moment) -> Spent {
        if self.is_limited { state.desk.spent(now) } else { Spent::default() }
    }

    /// Whether as many calls are under way as the whole server may have.
    pub(super) fn is_full(&self, state: &State, now_ms: i64) -> bool {
        let forwards = state.desk.forwards_under_way(now_ms);
        state.live.count().saturating_add(forwards) >= self.config.most_calls
    }

    /// The situation of a call that `from` places to `to`.
    pub(super) fn agents_situation(
        &self,
        state: &State,
        from: &str,
        to: Option<&Destination>,
        now: &Moment,
    ) -> Situation {
        let app = Some(self.config.twiml_app_sid.clone());
        Situation { app, outlook: self.outlook(state, from, to, now), ..any_situation(now) }
    }

    /// The situation of a caller.
    pub(super) fn callers_situation(&self, state: &mut State, now: &Moment) -> Situation {
        state.desk.look_at_queue(now.now_ms);
        let live = &state.live;
        let signed_in = state.roster.next(now.now_ms, |identity| live.count_of(&identity.address()) > 0);
        Situation {
            agents: Agents::Any { signed_in },
            waiting: state.desk.waiting(),
            outlook: self.callers_outlook(state, now),
            ..any_situation(now)
        }
    }
}

/// What is the same for every call, and all there is to know where nobody is called.
pub(super) fn any_situation(now: &Moment) -> Situation {
    Situation {
        agents: Agents::Any { signed_in: Vec::new() },
        // Twilio rings a device that is in a call, too; the device says whether it is busy.
        busy: false,
        do_not_disturb: false,
        local: now.local,
        app: None,
        waiting: 0,
        permission: Permission::Missing,
        outlook: no_outlook(),
    }
}

fn no_outlook() -> Outlook {
    Outlook {
        home_region: String::new(),
        caller_id: None,
        usable_caller_ids: Vec::new(),
        owned_numbers: Vec::new(),
        calls_under_way: 0,
        forwards_under_way: 0,
        spent: Spent::default(),
        prices: BTreeMap::new(),
        confirmed: false,
    }
}
