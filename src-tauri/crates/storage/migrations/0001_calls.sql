-- One row for each call: the fold of its events, kept for listing.
CREATE TABLE calls (
    -- Grows with each new call, so that of two calls the smaller is the older.
    age INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    started_at_ms INTEGER NOT NULL,
    -- A CallLogEntry in JSON.
    entry TEXT NOT NULL
) STRICT;
CREATE INDEX calls_newest_first ON calls (started_at_ms DESC, id DESC);

-- What the witnesses said, each thing once. Rows are only ever added, or moved to the call they
-- turned out to belong to.
CREATE TABLE call_events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    call INTEGER NOT NULL REFERENCES calls (age),
    -- A CallEvent in JSON.
    event TEXT NOT NULL,
    UNIQUE (call, event)
) STRICT;

-- Every CallSid an event named, and the call it is a leg of.
CREATE TABLE legs (
    call_sid TEXT PRIMARY KEY,
    call INTEGER NOT NULL REFERENCES calls (age)
) STRICT, WITHOUT ROWID;
CREATE INDEX legs_by_call ON legs (call);

-- Every CallId a call was ever reported under: its own, and those of rows that were merged into it.
CREATE TABLE call_names (
    id TEXT PRIMARY KEY,
    call INTEGER NOT NULL REFERENCES calls (age)
) STRICT, WITHOUT ROWID;
CREATE INDEX call_names_by_call ON call_names (call);
