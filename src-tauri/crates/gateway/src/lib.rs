//! What the internet can reach: webhook routes, signature layer, limits
