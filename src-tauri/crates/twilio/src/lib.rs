//! Twilio's wire formats: access token, webhook signature, webhook forms, TwiML
