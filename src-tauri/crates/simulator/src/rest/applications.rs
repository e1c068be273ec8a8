//! TwiML Apps. Those of other accounts do not exist here.

use axum::http::Method;
use serde_json::Value;

use super::ask::{Answer, Ask, created, gone, ok};
use super::page::page_2010;
use super::refusal::Refusal;
use crate::account::Application;

/// `Applications.json`.
pub(crate) fn list(ask: &Ask) -> Answer {
    let own = &ask.network.account.account_sid;
    match ask.method {
        Method::GET => {
            let name = ask.filter("FriendlyName");
            let wanted =
                |app: &&Application| app.owner == *own && name.is_none_or(|name| app.friendly_name() == name);
            let resources = ask.network.resources();
            let apps: Vec<Value> =
                resources.applications.iter().rev().filter(wanted).map(Application::shown).collect();
            drop(resources);
            page_2010(ask, "applications", apps)
        }
        Method::POST => {
            ask.caller.is_unrestricted()?;
            let now_ms = ask.network.now_ms();
            let mut app = Application::new(ask.network.sids.application(), own.clone(), now_ms);
            app.take(&ask.form, now_ms)?;
            let shown = app.shown();
            ask.network.resources().applications.push(app);
            created(shown)
        }
        _ => Err(Refusal::method_not_allowed()),
    }
}

/// `Applications/{AP}.json`.
pub(crate) fn one(ask: &Ask, sid: &str) -> Answer {
    let own = &ask.network.account.account_sid;
    let now_ms = ask.network.now_ms();
    let mut resources = ask.network.resources();
    let found = |app: &Application| app.sid.as_str() == sid && app.owner == *own;
    let index = resources.applications.iter().position(found);
    match ask.method {
        Method::GET | Method::POST | Method::DELETE => {}
        _ => return Err(Refusal::method_not_allowed()),
    }
    let index = index.ok_or_else(|| ask.not_found())?;
    if ask.method == Method::GET {
        return ok(resources.applications.get(index).map_or(Value::Null, Application::shown));
    }
    ask.caller.is_unrestricted()?;
    if ask.method == Method::DELETE {
        let app = resources.applications.remove(index);
        for number in &mut resources.numbers {
            number.leave(&app.sid, now_ms);
        }
        return gone();
    }
    let app = resources.applications.get_mut(index).ok_or_else(|| ask.not_found())?;
    app.take(&ask.form, now_ms)?;
    ok(app.shown())
}
