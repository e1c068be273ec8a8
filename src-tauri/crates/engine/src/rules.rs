//! The commands that change the rules of calls.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dialer_domain::call_flow::{self, Rules};
use dialer_domain::error::{ErrorCode, UserError};
use dialer_domain::incoming::{Known, Problem, SoundName};
use dialer_domain::money::Money;
use dialer_domain::phone_number;
use dialer_media::api::AudioDevice;
use dialer_storage::sounds::Sound;

use crate::api::{
    CountryOption, FallbackView, HostEvent, PreviewLine, PreviewScript, RecordedGreeting, RecordingAudio,
    RulesCommands, RulesView, SoundView, SpentView,
};
use crate::core::blocking;
use crate::local_time;
use crate::phone::Phone;
use crate::preview::{self, Live};

#[async_trait::async_trait]
impl RulesCommands for Phone {
    async fn rules(&self) -> Result<RulesView, UserError> {
        let core = self.core();
        let (rules, account, spent) = (core.rules().await?, core.account().await?, core.spent().await?);
        let mut countries: Vec<CountryOption> = phone_number::regions()
            .map(|(region, name)| CountryOption { region: region.into(), name: name.into() })
            .collect();
        countries.sort_by(|a, b| a.name.cmp(&b.name));
        let limit = rules.outgoing.money_per_day.as_ref().map(|limit| limit.currency.clone());
        let currency = match &account.caller_id {
            // Twilio names the currency with each price.
            Some(number) => core.api.price(number).await.map(|price| price.currency),
            None => None,
        }
        .or(limit);
        let sounds = self.kept_sounds().await?;
        let known = self.known(&sounds).await?;
        Ok(RulesView {
            problems: call_flow::problems(&rules, &known),
            fallback: FallbackView {
                document: dialer_gateway::fallback_document(&rules.incoming),
                url: self.fallback_url(),
                problem: None,
            },
            rules,
            defaults: Rules::default(),
            countries,
            home_region: account.home_region,
            zone: local_time::own_zone(),
            zones: known.zones.into_iter().collect(),
            sounds: sounds.into_iter().map(view).collect(),
            today: SpentView {
                minutes: u32::try_from(spent.seconds.div_ceil(60)).unwrap_or(u32::MAX),
                money: spent
                    .micros
                    .zip(currency.clone())
                    .map(|(micros, currency)| Money { micros, currency }),
            },
            currency,
        })
    }

    async fn check_rules(&self, rules: Rules) -> Result<Vec<Problem>, UserError> {
        let known = self.known(&self.kept_sounds().await?).await?;
        Ok(call_flow::problems(&rules, &known))
    }

    async fn save_rules(&self, rules: Rules) -> Result<(), UserError> {
        if let Some(problem) = self.check_rules(rules.clone()).await?.first() {
            return Err(UserError::new(ErrorCode::InvalidEntry, problem.message.clone()));
        }
        self.keep_rules(move |kept| *kept = rules).await
    }

    async fn allow_country(&self, region: String) -> Result<(), UserError> {
        if !phone_number::regions().any(|(known, _)| known == region) {
            return Err(UserError::new(ErrorCode::InvalidEntry, "There is no such country."));
        }
        let home = self.core().account().await?.home_region;
        self.keep_rules(move |rules| {
            rules.outgoing.countries.get_or_insert_with(|| BTreeSet::from([home])).insert(region);
        })
        .await
    }

    async fn add_sound(&self, label: String, wav_base64: String) -> Result<SoundView, UserError> {
        let wav = STANDARD.decode(wav_base64.as_bytes()).map_err(|_| {
            UserError::new(ErrorCode::InvalidEntry, "The file could not be read. Choose it again.")
        })?;
        let sounds = self.shared().sounds.clone();
        let kept = blocking(move || sounds.keep(&label, &wav).map_err(|error| error.user_error())).await?;
        self.tell_all(HostEvent::RulesChanged);
        Ok(view(kept))
    }

    async fn sound(&self, name: SoundName) -> Result<RecordingAudio, UserError> {
        let sounds = self.shared().sounds.clone();
        let wav = blocking(move || sounds.read(&name).map_err(|error| error.user_error())).await?;
        let wav =
            wav.ok_or_else(|| UserError::new(ErrorCode::InvalidEntry, "This recording is no longer there."))?;
        Ok(RecordingAudio { wav_base64: STANDARD.encode(wav) })
    }

    async fn microphones(&self) -> Result<Vec<AudioDevice>, UserError> {
        self.shared().greeting.microphones().await
    }

    async fn record_greeting(&self, microphone: String) -> Result<u32, UserError> {
        let phone = self.clone();
        let told = move |progress| phone.tell_all(HostEvent::GreetingProgressed(progress));
        self.shared().greeting.start(&self.core(), microphone, told).await
    }

    async fn finish_greeting(&self, recording: u32) -> Result<RecordedGreeting, UserError> {
        self.shared().greeting.finish(recording).await
    }

    async fn delete_sound(&self, name: SoundName) -> Result<(), UserError> {
        let rules = self.core().rules().await?;
        let mut known = self.known(&self.kept_sounds().await?).await?;
        let before = call_flow::problems(&rules, &known).len();
        known.sounds.remove(&name);
        if call_flow::problems(&rules, &known).len() > before {
            return Err(UserError::new(
                ErrorCode::InvalidEntry,
                "Callers hear this recording. Choose another greeting first, and save.",
            ));
        }
        let sounds = self.shared().sounds.clone();
        blocking(move || sounds.delete(&name).map_err(|error| error.user_error())).await?;
        self.tell_all(HostEvent::RulesChanged);
        Ok(())
    }

    async fn check_fallback(&self) -> Result<FallbackView, UserError> {
        self.looked_at_fallback().await
    }

    async fn set_fallback(&self, url: Option<String>) -> Result<FallbackView, UserError> {
        self.use_fallback(url).await?;
        self.looked_at_fallback().await
    }

    async fn preview_incoming(
        &self,
        rules: Rules,
        script: PreviewScript,
    ) -> Result<Vec<PreviewLine>, UserError> {
        if let Some(problem) = self.check_rules(rules.clone()).await?.first() {
            return Err(UserError::new(ErrorCode::InvalidEntry, problem.message.clone()));
        }
        let zone = rules.incoming.hours.as_ref().and_then(|hours| hours.zone.clone());
        let now = local_time::moment(self.shared().clock.now_ms(), zone.as_deref());
        let mut views = self.core().watch();
        let page = views.borrow_and_update().page;
        let playing = &self.shared().preview;
        let (_turn, asked) = playing.begin().await?;
        let phone = self.clone();
        let heard = Box::new(move |line| {
            phone.tell_all(HostEvent::PreviewLineAdded(line));
        });
        let sounds = self.shared().sounds.clone();
        let mut played =
            std::pin::pin!(preview::play(sounds, rules, script, now.local, Live { heard, asked }));
        tokio::select! {
            lines = &mut played => return lines,
            // The page is gone, and nobody else could stop it.
            _ = views.wait_for(|view| view.page != page) => playing.stop(),
        }
        played.await
    }

    async fn stop_preview(&self) -> Result<(), UserError> {
        self.shared().preview.stop();
        Ok(())
    }

    async fn press_preview_key(&self, key: String) -> Result<(), UserError> {
        self.shared().preview.press(&key).await
    }
}

fn view(sound: Sound) -> SoundView {
    SoundView { name: sound.name, label: sound.label, duration_s: sound.duration_s }
}

impl Phone {
    /// What rules may name, `sounds` among it.
    async fn known(&self, sounds: &[Sound]) -> Result<Known, UserError> {
        let account = self.core().account().await?;
        let bound = self.shared().saved().record.map(|record| record.numbers).unwrap_or_default();
        // Not every caller id: callers may well be passed on to the agent's own verified mobile.
        let own_numbers =
            account.owned_numbers.into_iter().chain(bound.into_iter().map(|bound| bound.number));
        Ok(Known {
            sounds: sounds.iter().map(|sound| sound.name.clone()).collect(),
            own_numbers: own_numbers.collect(),
            home_region: account.home_region,
            zones: local_time::zones().into_iter().collect(),
        })
    }

    async fn kept_sounds(&self) -> Result<Vec<Sound>, UserError> {
        let sounds = self.shared().sounds.clone();
        blocking(move || sounds.list().map_err(|error| error.user_error())).await
    }

    /// Changes the rules on the disk, then everywhere else.
    async fn keep_rules(&self, change: impl FnOnce(&mut Rules) + Send + 'static) -> Result<(), UserError> {
        let rules = self
            .shared()
            .save(move |saved| {
                change(&mut saved.rules);
                saved.rules.clone()
            })
            .await?;
        self.core().rules_changed(rules);
        self.tell_all(HostEvent::RulesChanged);
        Ok(())
    }
}
