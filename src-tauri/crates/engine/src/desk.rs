//! What decisions about calls need to know besides the phone's own state: the rules, the calls the
//! agent has asked for, who waits in the queue, and what today's calls came to. Pure.

mod spending;
mod waiting;

use std::collections::BTreeMap;

use dialer_domain::call::{CallEvent, CallId};
use dialer_domain::call_flow::{self, Instruction, Permission, Rules, Situation, VoiceQuery};
use dialer_domain::call_log::CallLogEntry;
use dialer_domain::destination::Destination;
use dialer_domain::dial_policy::{self, LONGEST_CALL_S, Outlook, Spent, Verdict};
use dialer_domain::identity::ClientIdentity;
use dialer_domain::intent::{Intent, Intents};
use dialer_domain::money::Money;
use dialer_domain::phone_number::E164;
use dialer_domain::sid::CallSid;

use crate::api::QueueView;
use crate::local_time::Moment;
use spending::Spending;
use waiting::Waiting;

/// The calls' side of the state.
#[derive(Debug, Default)]
pub struct Desk {
    /// What calls may do.
    pub rules: Rules,
    /// Whether the agent does not want to be disturbed.
    pub do_not_disturb: bool,
    /// What a minute of calls to these numbers costs.
    pub prices: BTreeMap<E164, Money>,
    /// The midnight since which everything kept may count.
    day_ms: Option<i64>,
    intents: Intents,
    waiting: Waiting,
    spending: Spending,
}

/// A call that an agent wants to place.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Who.
    pub by: ClientIdentity,
    /// Our name of it.
    pub call: CallId,
    /// Whom.
    pub to: Destination,
    /// The number shown to them; the account's own choice when absent.
    pub caller_id: Option<E164>,
    /// Whether the agent agreed to what the rules leave to them to decide.
    pub confirmed: bool,
}

impl Desk {
    /// A desk at the start of a day without calls.
    pub fn with(rules: Rules) -> Self {
        Self { rules, ..Self::default() }
    }

    /// Judges a wish, and notes the call if it may be placed. `outlook` is the phone's, without the
    /// wish's own part.
    pub fn place(&mut self, wish: Wish, outlook: Outlook, now_ms: i64) -> Verdict {
        let outlook = Outlook {
            caller_id: wish.caller_id.clone().or(outlook.caller_id.clone()),
            confirmed: wish.confirmed,
            ..outlook
        };
        let verdict = dial_policy::judge(&wish.to, &self.rules.outgoing, &outlook);
        if matches!(verdict, Verdict::Allowed { .. }) {
            let intent = Intent {
                by: wish.by,
                to: wish.to,
                caller_id: wish.caller_id,
                confirmed: wish.confirmed,
                placed_at_ms: now_ms,
            };
            self.intents.note(wish.call, intent);
        }
        verdict
    }

    /// Adds what the call's intent says to the situation in which Twilio asks about it.
    pub fn with_intent(&mut self, query: &VoiceQuery, now: Situation, now_ms: i64) -> Situation {
        let by = query.from.strip_prefix("client:");
        // No token can make other requests: they come from the network, or are signed by the account's owner.
        let permission = if by.is_some() { Permission::Missing } else { Permission::NotAsked };
        if by.is_none() && !query.short_form {
            return Situation { permission, ..now };
        }
        let to = Destination::parse(&call_flow::with_plus(&query.to), &now.outlook.home_region);
        let intent = to.ok().and_then(|to| self.intents.take(query.call_id, by, &to, now_ms));
        let Some(intent) = intent else { return Situation { permission, ..now } };
        let outlook = Outlook {
            caller_id: intent.caller_id.or(now.outlook.caller_id),
            confirmed: intent.confirmed,
            ..now.outlook
        };
        Situation { permission: Permission::Given, outlook, ..now }
    }

    /// Takes note of what a call that asked was told to do.
    pub fn instructed(
        &mut self,
        call_sid: Option<&CallSid>,
        peer: &str,
        instruction: &Instruction,
        now_ms: i64,
    ) {
        let Some(call_sid) = call_sid else { return };
        if let Instruction::Connect(connect) = instruction {
            self.spending.granted(call_sid, connect, now_ms);
        }
        match instruction {
            // Not before: while the greeting of the queue is spoken, nobody can be taken out of it.
            Instruction::Wait { .. } => self.waiting.seen(call_sid, peer, now_ms),
            Instruction::Connect(_)
            | Instruction::Menu { .. }
            | Instruction::Enqueue { .. }
            | Instruction::Voicemail { .. }
            | Instruction::LeaveQueue
            | Instruction::Tell { .. }
            | Instruction::Decline
            | Instruction::HangUp
            | Instruction::Refuse { .. }
            | Instruction::TurnAway { .. } => self.waiting.gone(call_sid),
        }
    }

    /// Takes note of what a webhook says at `now_ms`.
    pub fn happened(&mut self, event: &CallEvent, now_ms: i64) {
        self.spending.happened(event, now_ms);
        match event {
            CallEvent::LeftQueue { call_sid, .. } | CallEvent::Dequeued { call_sid, .. } => {
                self.waiting.gone(call_sid);
            }
            CallEvent::LegStatus { call_sid, status, .. } if status.is_final() => self.waiting.gone(call_sid),
            CallEvent::Routed { .. }
            | CallEvent::LegStatus { .. }
            | CallEvent::Dialled { .. }
            | CallEvent::Waiting { .. }
            | CallEvent::Recording { .. }
            | CallEvent::Transcribed { .. }
            | CallEvent::Conference { .. }
            | CallEvent::Sdk { .. } => {}
        }
    }

    /// The row of a call that counts today began then or later, in Unix milliseconds: a call that began before
    /// midnight may have been answered after it.
    pub fn counts_from_ms(now: &Moment) -> i64 {
        now.midnight_ms - i64::from(LONGEST_CALL_S) * 1_000
    }

    /// Takes note of a row of the call log.
    pub fn logged(&mut self, entry: &CallLogEntry) {
        self.spending.logged(entry);
    }

    /// A row of the call log is gone.
    pub fn unlogged(&mut self, call: CallId) {
        self.spending.unlogged(call);
    }

    /// Forgets who has not been heard of for long.
    pub fn look_at_queue(&mut self, now_ms: i64) {
        self.waiting.forget(now_ms);
    }

    /// How many wait.
    pub fn waiting(&self) -> u32 {
        self.waiting.count()
    }

    /// Who waits.
    pub fn queue(&self) -> QueueView {
        self.waiting.view()
    }

    /// What today's calls came to.
    pub fn spent(&self, now: &Moment) -> Spent {
        self.spending.spent(&self.prices, &self.rules.incoming.forwards(), now)
    }

    /// Callers who are being passed on.
    pub fn forwards_under_way(&self, now_ms: i64) -> u32 {
        self.spending.forwards_under_way(now_ms)
    }

    /// Numbers called today, and those that callers may be passed on to, whose price is not known.
    pub fn unpriced(&self, now: &Moment) -> Vec<E164> {
        let mut numbers = self.priced(now);
        numbers.retain(|number| !self.prices.contains_key(number));
        numbers
    }

    /// Numbers whose price the day's limit of money depends on: those called today, and those that callers may
    /// be passed on to.
    pub fn priced(&self, now: &Moment) -> Vec<E164> {
        let mut numbers = self.spending.called(now);
        numbers.extend(self.rules.incoming.forwards().into_iter().cloned());
        numbers.sort();
        numbers.dedup();
        numbers
    }

    /// Forgets, once a day, the calls that count no longer and the prices of numbers that nobody calls.
    pub fn look_at_day(&mut self, now: &Moment) {
        if self.day_ms == Some(now.midnight_ms) {
            return;
        }
        self.day_ms = Some(now.midnight_ms);
        self.spending.forget_before(now);
        let needed = self.priced(now);
        let intended = |number: &E164| self.intents.numbers().any(|intended| intended == number);
        self.prices.retain(|number, _| needed.binary_search(number).is_ok() || intended(number));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;
    use dialer_domain::call_flow::Agents;
    use dialer_domain::local_time::{LocalDate, LocalMoment};

    const OURS: &str = "+12025550100";

    fn situation(desk: &Desk, now_ms: i64) -> Situation {
        let local =
            LocalMoment { date: LocalDate { year: 2026, month: 11, day: 23 }, weekday: 0, minute: 600 };
        let ours = E164::parse_strict(OURS).unwrap();
        Situation {
            agents: Agents::One { identity: ClientIdentity::parse("agent_1").unwrap(), reachable: true },
            app: None,
            busy: false,
            do_not_disturb: false,
            local,
            waiting: 0,
            permission: Permission::Missing,
            outlook: Outlook {
                home_region: "US".into(),
                caller_id: Some(ours.clone()),
                usable_caller_ids: vec![ours.clone()],
                owned_numbers: vec![ours],
                calls_under_way: 0,
                forwards_under_way: desk.forwards_under_way(now_ms),
                spent: desk.spent(&Moment { now_ms, midnight_ms: 0, local }),
                prices: desk.prices.clone(),
                confirmed: false,
            },
        }
    }

    #[test]
    fn two_calls_at_once_share_what_is_left_of_the_day() {
        let mut desk = Desk::default();
        desk.rules.outgoing.minutes_per_day = Some(10);
        desk.rules.outgoing.time_limit_s = 420;
        let mut granted = Vec::new();
        for n in 1..=3 {
            let call = CallId(uuid::Uuid::from_bytes([n; 16]));
            let to = "+12025550123";
            let wish = Wish {
                by: ClientIdentity::parse("agent_1").unwrap(),
                call,
                to: Destination::parse(to, "US").unwrap(),
                caller_id: None,
                confirmed: false,
            };
            let outlook = situation(&desk, 1_000).outlook;
            desk.place(wish, outlook, 1_000);
            let query = VoiceQuery {
                from: "client:agent_1".into(),
                to: to.into(),
                call_id: Some(call),
                short_form: false,
                placed_by_account: false,
                forwarded_from: None,
                app: None,
            };
            let now = situation(&desk, 2_000);
            let now = desk.with_intent(&query, now, 2_000);
            let instruction = call_flow::begin(&query, &desk.rules, &now);
            desk.instructed(Some(&CallSid::from_bytes([n; 16])), &query.from, &instruction, 2_000);
            if let Instruction::Connect(connect) = instruction {
                granted.push(connect.time_limit_s);
            }
        }
        assert_eq!(granted, [420, 180], "and nothing for a third");
    }
}
