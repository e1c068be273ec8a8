//! A practice Twilio: signalling, TwiML, signed webhooks, scripted far ends
